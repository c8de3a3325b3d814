internal import Documents
internal import MeshCore
internal import MeshModel
internal import MeshStore

struct MeshWriteRules: ObjectWriteRules {
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
        guard object.key.name != .defaultMesh else {
            throw ControlError.conflict(.init("inUse", "every tenant has the mesh default, until it is deleted itself"))
        }
    }
}
