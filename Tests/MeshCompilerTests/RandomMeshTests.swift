import Documents
import MeshCore
import MeshFixtures
import MeshModel
import TestSupport
import Testing

@Suite("The random mesh")
struct RandomMeshTests {
    /// So that no field that a kind declares is left out of the properties that hold for random meshes.
    @Test("has each declared field of what is compiled, and each form of a host, at least once in 4000 meshes")
    func complete() async throws {
        var fields: [Kind: Set<String>] = [:]
        var hosts: Set<String> = []
        let declared = kinds.all.reduce(into: [Kind: Set<String>]()) {
            $0[$1] = Set(DeclaredFields.leaves(of: $1.specType.schema))
        }
        for seed in UInt64(0)..<4000 {
            // Others wait for the thread.
            await Task.yield()
            if seed.isMultiple(of: 20), !fields.isEmpty, fields.allSatisfy({ declared[$0.key] == $0.value }) { break }
            var mesh = try RandomMesh(seed: seed)
            for _ in 0..<6 { _ = try mesh.step() }
            fields.merge(mesh.fields) { $0.union($1) }
            hosts.formUnion(mesh.hosts)
        }
        for kind in kinds.all where fields[kind] != nil {
            let missing = (declared[kind] ?? []).subtracting(fields[kind] ?? [])
            #expect(missing.sorted() == [], "\(kind)")
        }
        #expect(Set(fields.keys) == Set(kinds.all.filter { RandomMesh.isSeen($0.specType) }))
        // A dot behind a name is not stored.
        #expect(
            Set(hosts.map { $0.split(separator: ".").dropFirst(2).joined(separator: ".") }) == [
                "", "svc", "svc.cluster.local", "com",
            ])
    }
}
