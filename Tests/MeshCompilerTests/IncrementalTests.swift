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
            let before = CompiledMesh(compiler)
            let change = try mesh.step()
            let compiled = compiler.update(mesh.state, change)
            let full = Compiler(mesh.state)
            let (after, fresh) = (CompiledMesh(compiler), CompiledMesh(full))
            try #require(Self.differences(\.clusters, after, fresh) == [])
            try #require(Self.differences(\.endpoints, after, fresh) == [])
            try #require(Self.differences(\.virtualHosts, after, fresh) == [])
            try #require(Self.differences(\.inbound, after, fresh) == [])
            try #require(compiler.diagnostics == full.diagnostics)
            try #require(compiled.clusters == Self.differences(\.clusters, before, after))
            try #require(compiled.endpoints == Self.differences(\.endpoints, before, after))
            try #require(compiled.routes == Self.differences(\.virtualHosts, before, after))
            // What a sidecar does not listen for may change by itself.
            try #require(compiled.workloads.isSuperset(of: Self.differences(\.inbound, before, after)))
        }
    }

    private static func differences<Subject, Result: Equatable>(
        _ part: (CompiledMesh) -> [Subject: Result], _ old: CompiledMesh, _ new: CompiledMesh
    ) -> Set<Subject> {
        let (old, new) = (part(old), part(new))
        return Set(Set(old.keys).union(new.keys).filter { old[$0] != new[$0] })
    }

    @Test("an index of rules that follows a mesh, back as well, is that of the mesh", arguments: 0..<20)
    func indexes(_ seed: Int) throws {
        var mesh = try RandomMesh(seed: UInt64(seed))
        var (index, earlier) = (RuleIndex(mesh.state), [mesh.state])
        for step in 0..<60 {
            _ = try mesh.step()
            earlier.append(mesh.state)
            let state = step % 7 == 6 ? earlier[step / 2] : mesh.state
            index.update(to: state)
            let fresh = RuleIndex(state)
            for service in state.services.keys {
                try #require(index.hosts(sendingTo: .service(service)) == fresh.hosts(sendingTo: .service(service)))
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
