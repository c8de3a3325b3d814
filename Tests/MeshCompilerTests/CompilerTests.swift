import Documents
import MeshCore
import MeshFixtures
import MeshModel
import Testing

@testable import MeshCompiler

@Suite("A compiler goes on from what it has compiled")
struct CompilerTests {
    private static func state(_ mesh: String, ports: [Int64]) throws -> MeshState {
        var state = try MeshDocument.read([
            "services": [
                "shop/reviews": [
                    "spec": ["ports": .array(ports.map { ["name": .string("p\($0)"), "port": .integer($0)] })]
                ]
            ],
            "endpoints": ["shop/reviews": ["e1": ["cluster": "dev", "address": "10.0.0.1"]]],
        ])
        state.mesh.mesh = try MeshDocument.name(mesh)
        return state
    }

    @Test("another mesh is compiled anew, and told by what is different")
    func otherMeshes() throws {
        let reviews = Host.service(try MeshDocument.namespaced("shop/reviews"))
        var compiler = Compiler()
        #expect(compiler.mesh == nil && compiler.everything.isEmpty)
        let first = compiler.update(try Self.state("a", ports: [80]), .all)
        #expect(
            first.clusters == [reviews] && first.endpoints == [reviews] && first.routes == [reviews] && !first.isEmpty)
        #expect(compiler.update(try Self.state("a", ports: [80]), .all).isEmpty)
        // Nothing is said to have changed, but it is another mesh.
        let other = compiler.update(try Self.state("b", ports: [80, 81]), MeshChange())
        #expect(other.clusters == [reviews] && compiler.virtualHosts(of: reviews).count == 2)
        #expect(compiler.mesh?.mesh.text == "b")
        #expect(
            compiler.update(try Self.state("b", ports: [82]), MeshChange()).isEmpty,
            "nobody has said that it is different")
        let gone = compiler.update(MeshState(mesh: try Self.state("b", ports: [80]).mesh), .all)
        #expect(gone.clusters == [reviews] && gone.routes == [reviews] && compiler.hosts.isEmpty)
    }

    @Test("a change of each sort is one")
    func changes() throws {
        let reviews = try MeshDocument.namespaced("shop/reviews")
        for change: (inout CompiledChange) -> Void in [
            { $0.clusters = [.service(reviews)] }, { $0.endpoints = [.service(reviews)] },
            { $0.routes = [.service(reviews)] },
            { $0.workloads = [reviews] },
        ] {
            var compiled = CompiledChange()
            #expect(compiled.isEmpty)
            change(&compiled)
            #expect(!compiled.isEmpty)
        }
    }
}
