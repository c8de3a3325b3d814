internal import Documents
internal import MeshCore
internal import MeshModel
internal import MeshStore

struct MeshRules: ObjectRules {
    func carryOut(_ write: PlannedWrite, in transaction: StoreTransaction) async throws -> WrittenObject {
        let spec = try write.spec(as: MeshSpec.self)
        if write.old == nil {
            let limit = Limits.meshesPerTenant
            // Of two who make one at the same time, the second counts the first one's.
            try await transaction.lock([.tenant(write.key.tenant)])
            let query = ListQuery(kind: .mesh, tenant: write.key.tenant, pageSize: limit.value)
            let count = try await transaction.list(query).items.count + 1
            if !limit.allows(count) {
                write.log.report(
                    .root, .tooMany, "this would be mesh \(count) of the tenant; allowed are \(limit.rule)")
            }
        }
        return try await write.put(spec, in: transaction)
    }

    func checkDeletion(of object: StoredObject, in transaction: StoreTransaction) async throws {
        let (tenant, mesh) = (object.key.tenant, object.key.name)
        guard mesh != .defaultMesh else {
            throw ControlError.conflict(.init("inUse", "every tenant has the mesh default, until it is deleted itself"))
        }
        var users: [ObjectKey] = []
        for kind in kinds.all where kind.info.isInMesh && users.isEmpty {
            let query = ListQuery(kind: kind, tenant: tenant, mesh: mesh, pageSize: ControlError.Conflict.shown + 1)
            users = try await transaction.list(query).items.map(\.key)
        }
        users += try await clusters(of: tenant, in: transaction) { $0.enabled && $0.mesh == mesh }
        guard users.isEmpty else { throw ControlError.conflict(.inUse(object.key, by: users)) }
    }

    /// The tenant's clusters with such a mesh, from all pages of their list.
    private func clusters(
        of tenant: Name, in transaction: StoreTransaction, where isUser: (ClusterMeshSpec) -> Bool
    ) async throws -> [ObjectKey] {
        var users: [ObjectKey] = []
        var query = ListQuery(kind: .cluster, tenant: tenant, pageSize: 1000)
        while true {
            let page = try await transaction.list(query)
            users += page.items.filter { $0.noun(as: ClusterSpec.self)?.mesh.map(isUser) ?? false }.map(\.key)
            guard let next = page.next else { return users }
            query.after = next
        }
    }
}
