import MeshCompiler
import MeshFixtures
import MeshModel
import Testing

@Suite("Compiling a change gives what compiling everything gives")
struct IncrementalTests {
    @Test(arguments: 0..<40)
    func anyWayLeadsToTheSame(_ seed: Int) throws {
        var mesh = try RandomMesh(seed: UInt64(seed))
        var compiler = Compiler(mesh.state)
        for _ in 0..<60 {
            let before = compiler.services
            let change = try mesh.step()
            let compiled = compiler.update(mesh.state, change)
            let full = Compiler(mesh.state)
            let names = Set(compiler.services.keys).union(full.services.keys)
            try #require(names.filter { compiler.services[$0] != full.services[$0] } == [])
            try #require(compiler.diagnostics == full.diagnostics)
            for name in Set(before.keys).union(compiler.services.keys) {
                let old = before[name] ?? CompiledService()
                let new = compiler.services[name] ?? CompiledService()
                let parts = compiled.services[name] ?? []
                try #require(parts.contains(.clusters) == (old.clusters != new.clusters))
                try #require(parts.contains(.endpoints) == (old.endpoints != new.endpoints))
                try #require(parts.contains(.inbound) == (old.inbound != new.inbound))
                try #require(parts.contains(.routes) == (old.virtualHosts != new.virtualHosts))
            }
        }
    }

    @Test("an index of rules that follows a mesh, back as well, is that of the mesh", arguments: 0..<20)
    func indexes(_ seed: Int) throws {
        var mesh = try RandomMesh(seed: UInt64(seed))
        var (index, earlier) = (RuleIndex(mesh.state), [mesh.state])
        for step in 0..<60 {
            _ = try mesh.step()
            earlier.append(mesh.state)
            let state = step % 7 == 6 ? earlier[step / 2] : mesh.state
            index.follow(state)
            let fresh = RuleIndex(state)
            for service in state.services.keys {
                try #require(index.services(sendingTo: service) == fresh.services(sendingTo: service))
            }
            for traffic in state.releases.values {
                try #require(traffic.effects(in: index) == traffic.effects(in: fresh))
            }
        }
    }

    @Test func whatIsNotDifferentIsNotAChange() throws {
        let state = try MeshDocument.read(Golden.meshes[0].input("mesh.json"))
        var compiler = Compiler(state)
        #expect(compiler.update(state, .all).isEmpty)
    }
}
