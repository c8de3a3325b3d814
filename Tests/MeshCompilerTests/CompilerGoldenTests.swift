import Documents
import Foundation
import MeshCompiler
import MeshCore
import MeshFixtures
import MeshModel
import Testing

@Suite("The compiler turns a mesh into its representation")
struct CompilerGoldenTests {
    @Test(arguments: Golden.meshes)
    func lowers(_ golden: Golden) throws {
        let state = try MeshDocument.read(golden.input("mesh.json"))
        let compiler = Compiler(state)
        try golden.expect(Self.encoded(.object(compiler.golden)), in: "ir.json")
        try golden.expect(Self.encoded(.array(compiler.findings.map(\.golden))), in: "diagnostics.json")
        for _ in 0..<5 {
            let other = Compiler(state.shuffled())
            #expect(
                CompiledMesh(other) == CompiledMesh(compiler), "the result must not depend on the order of the input")
            #expect(other.findings == compiler.findings)
        }
    }

    @Test("a diagnostic is about something that its object says", arguments: Golden.meshes)
    func pointers(_ golden: Golden) throws {
        let document = try JSONValue(json: golden.input("mesh.json"))
        for diagnostic in Compiler(try MeshDocument.read(document)).findings {
            let object = try #require(MeshDocument.object(diagnostic.object, in: document), "\(diagnostic)")
            #expect(object.value(at: diagnostic.pointer) != nil, "\(diagnostic)")
        }
    }

    @Test("every code of a diagnostic stands in a golden")
    func codes() throws {
        let found = try Golden.meshes.flatMap { try Compiler(MeshDocument.read($0.input("mesh.json"))).findings }
        #expect(Set(Diagnostic.Code.allCases).subtracting(found.map(\.code)) == [])
    }

    @Test("there are no goldens but those of the cases")
    func nothingElse() throws {
        let outputs = ["ir.json", "diagnostics.json"]
        var files: Set<String> = []
        for golden in Golden.meshes {
            let inputs = ["mesh.json", "views.json"].filter(golden.hasInput)
            files.formUnion((inputs + outputs).map { "\(golden.name)/\($0)" })
        }
        let folder = Golden(Golden.tests.appending(path: "MeshCompilerTests/Golden"))
        try folder.expectNothing(but: files, outputs: outputs.contains)
    }

    /// Sorted keys, pretty printed, with a line feed at the end.
    static func encoded(_ value: JSONValue) throws -> Data {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        return try encoder.encode(value) + Data("\n".utf8)
    }
}

extension Compiler {
    var golden: [String: JSONValue] {
        let hosts = hosts.map { host in
            (host.service.map { "\($0)" } ?? "\(host.text) of \(host.namespace)", golden(of: host))
        }
        return Dictionary(uniqueKeysWithValues: hosts).filter { $0.value != [:] }
    }
}

extension JSONValue {
    fileprivate func value(at pointer: JSONPointer) -> JSONValue? {
        pointer.tokens.reduce(self) { value, token in
            switch value {
            case .array(let elements)?: Int(token).flatMap { elements.indices.contains($0) ? elements[$0] : nil }
            default: value?[token]
            }
        }
    }
}
