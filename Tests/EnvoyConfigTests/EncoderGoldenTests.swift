import EnvoyConfig
import Foundation
import MeshCompiler
import MeshFixtures
import Testing

@Suite("The encoder turns a compiled mesh into Envoy's resources")
struct EncoderGoldenTests {
    @Test(arguments: Golden.meshes)
    func encodes(_ golden: Golden) throws {
        let state = try MeshDocument.read(golden.input("mesh.json"))
        let compiler = Compiler(state)
        var encoder = ConfigEncoder()
        _ = encoder.update(compiler.everything, of: compiler)
        let here = Golden(Golden.tests.appending(path: "EnvoyConfigTests/Golden/\(golden.name)"))
        for view in try golden.views() {
            let resources = encoder.resources(of: view.layer)
            try here.expect(Self.json(resources), in: "\(view.name).json")
            let other = Compiler(state.shuffled())
            var shuffled = ConfigEncoder()
            _ = shuffled.update(other.everything, of: other)
            #expect(
                shuffled.resources(of: view.layer) == resources, "the result must not depend on the order of the input")
        }
    }

    private static func json(_ resources: ResourceSet) throws -> Data {
        var object: [String: Any] = [:]
        for (type, list) in resources where !list.isEmpty {
            object["\(type)"] = try list.map { try GoldenJSON.object($0, type) }
        }
        return try GoldenJSON.data(object)
    }
}
