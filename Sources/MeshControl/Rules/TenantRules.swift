internal import Documents
internal import MeshCore
internal import MeshModel
internal import MeshStore

struct TenantRules: ObjectRules {
    func carryOut(_ write: PlannedWrite, in transaction: StoreTransaction) async throws -> WrittenObject {
        try await write.put(write.spec(as: TenantSpec.self), in: transaction)
    }

    func checkDeletion(of object: StoredObject, in transaction: StoreTransaction) async throws {
        for kind in kinds.all where kind != .tenant {
            let page = try await transaction.list(ListQuery(kind: kind, tenant: object.key.tenant, pageSize: 1))
            if let first = page.items.first {
                throw ControlError.conflict(.inUse(object.key, by: [first.key]))
            }
        }
    }
}

extension ControlError.Conflict {
    /// At most this many users of an object are named.
    private static let shown = 5

    /// An object cannot go because others need it.
    static func inUse(_ key: ObjectKey, by users: [ObjectKey]) -> Self {
        let names = users.prefix(shown).map(\.described).joined(separator: ", ")
        return Self(
            "inUse",
            "the \(key.described) is used by \(names)\(users.count > shown ? " and others" : ""); delete that first",
            members: [
                "usedBy": .array(
                    users.prefix(shown).map { ["kind": .string($0.kind.name), "name": .string($0.name.text)] })
            ])
    }
}
