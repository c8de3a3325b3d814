import Documents
import EnvoyConfig
import Foundation
import MeshCompiler
import MeshFixtures
import Testing

@Suite("The encoder turns a compiled mesh into Envoy's resources")
struct EncoderGoldenTests {
    private static let folder = Golden(Golden.tests.appending(path: "EnvoyConfigTests/Golden"))

    @Test(arguments: Golden.meshes)
    func encodes(_ golden: Golden) throws {
        let state = try MeshDocument.read(golden.input("mesh.json"))
        let (encoder, other) = (Self.encoder(of: Compiler(state)), Self.encoder(of: Compiler(state.shuffled())))
        let defaults = try NamedDefaults.read()
        let here = Golden(Self.folder.folder.appending(path: golden.name))
        for view in try golden.views() {
            let resources = encoder.resources(of: view.layer)
            let (document, file) = (try Self.document(resources), "\(view.name).yaml")
            try here.expect(GoldenYAML.data(defaults.abbreviated(document)), in: file)
            let isWhole = try defaults.expanded(GoldenYAML.value(here.input(file))) == document
            #expect(isWhole, "the golden and the named defaults must say everything that is sent")
            #expect(
                other.resources(of: view.layer) == resources, "the result must not depend on the order of the input")
        }
    }

    @Test("there are no goldens but those of the cases and their views")
    func nothingElse() throws {
        var files: Set = ["defaults.yaml"]
        for bootstrap in BootstrapTests.cases { files.insert("bootstrap/\(bootstrap.name).yaml") }
        for golden in Golden.meshes {
            for view in try golden.views() { files.insert("\(golden.name)/\(view.name).yaml") }
        }
        try Self.folder.expectNothing(but: files) { $0 != "defaults.yaml" }
    }

    @Test("there are no named defaults but those that goldens name")
    func noOtherDefaults() throws {
        let document = try GoldenYAML.value(Data(contentsOf: NamedDefaults.file))
        let defaults = try NamedDefaults(document)
        var (blocks, named): (Set<NamedDefaults.Name>, Set<NamedDefaults.Name>) = ([], [])
        for (field, members) in document.objectValue ?? [:] {
            for (name, block) in members.objectValue ?? [:] {
                blocks.insert(.init(field: field, name: name))
                named.formUnion(NamedDefaults.names(in: block, field: field))
            }
        }
        for golden in Golden.meshes {
            let encoder = Self.encoder(of: Compiler(try MeshDocument.read(golden.input("mesh.json"))))
            for view in try golden.views() {
                let document = try Self.document(encoder.resources(of: view.layer))
                named.formUnion(NamedDefaults.names(in: defaults.abbreviated(document)))
            }
        }
        #expect(blocks.subtracting(named).isEmpty)
    }

    private static func encoder(of compiler: Compiler) -> ConfigEncoder {
        var encoder = ConfigEncoder()
        _ = encoder.update(compiler.everything, of: compiler)
        return encoder
    }

    /// Resources by type, as people read them.
    private static func document(_ resources: ConfigSet) throws -> JSONValue {
        let lists = try resources.filter { !$0.value.isEmpty }.map { type, list in
            ("\(type)", JSONValue.array(try list.map { try JSONValue(json: Data($0.json(type).utf8)) }))
        }
        return .object(Dictionary(uniqueKeysWithValues: lists))
    }
}
