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

    @Test func whatIsNotDifferentIsNotAChange() throws {
        let state = try MeshDocument.read(Golden.meshes[0].input("mesh.json"))
        var compiler = Compiler(state)
        #expect(compiler.update(state, .all).isEmpty)
    }
}
