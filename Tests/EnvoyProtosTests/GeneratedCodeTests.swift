import Foundation
import Testing

@Suite("Generated code")
struct GeneratedCodeTests {
    @Test("The decoders accept the fields of the manifest, and no others")
    func manifest() throws {
        let generated = try GeneratedSource.fields()
        let listed = try GeneratedSource.manifestFields()

        #expect(generated.count > 500, "the generated code was not understood")
        let differences = generated.symmetricDifference(listed).sorted()
        #expect(differences.prefix(10) == [], "in one of the two only; `make protos` writes both")
    }

    @Test("The manifest agrees with Envoy's descriptors as installed")
    func descriptors() throws {
        let check = try python(GeneratedSource.generator.path, "--check")
        #expect(check.status == 0, "run `make tools`, which installs xds-protos, then `make protos`: \(check.output)")
    }

    /// Needs the generator's own tools, which `make protos` installs and builds. A run of the tests may build one, and installs none.
    @Test("Generating anew changes nothing", .enabled(if: Self.plugin != nil && Self.hasCompiler, "see `make protos`"))
    func regeneration() throws {
        let plugin = try #require(Self.plugin)
        let out = FileManager.default.temporaryDirectory.appending(path: "EnvoyProtos-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: out) }

        let run = try python(GeneratedSource.generator.path, "--plugin", plugin, "--out", out.path)
        try #require(run.status == 0, "\(run.output)")
        for path in ["Generated", "Generator/manifest.txt"] {
            #expect(try contents(of: out, path) == contents(of: GeneratedSource.target, path), "\(path)")
        }
    }

    private static let hasCompiler = (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":").contains
    {
        FileManager.default.isExecutableFile(atPath: "\($0)/protoc")
    }

    private static let plugin = ["debug", "release"]
        .map { GeneratedSource.root.appending(path: ".build/\($0)/protoc-gen-swift").path }
        .first { FileManager.default.isExecutableFile(atPath: $0) }

    /// A file's content, or that of each file in a folder, by name.
    private func contents(of root: URL, _ path: String) throws -> [String: Data] {
        let place = root.appending(path: path)
        guard place.pathExtension.isEmpty else { return [place.lastPathComponent: try Data(contentsOf: place)] }
        let files = try FileManager.default.contentsOfDirectory(at: place, includingPropertiesForKeys: nil)
        return Dictionary(uniqueKeysWithValues: try files.map { ($0.lastPathComponent, try Data(contentsOf: $0)) })
    }

    /// Runs the Python that `make tools` set up, or else the one on PATH.
    private func python(_ arguments: String...) throws -> (status: Int32, output: String) {
        let installed = GeneratedSource.root.appending(path: ".build/tools/bin/python3")
        let process = Process()
        let output = Pipe()
        if FileManager.default.isExecutableFile(atPath: installed.path) {
            process.executableURL = installed
            process.arguments = arguments
        } else {
            process.executableURL = URL(filePath: "/usr/bin/env")
            process.arguments = ["python3"] + arguments
        }
        process.standardOutput = output
        process.standardError = output
        try process.run()
        let text = try output.fileHandleForReading.readToEnd() ?? Data()
        process.waitUntilExit()
        return (process.terminationStatus, String(decoding: text, as: UTF8.self))
    }
}
