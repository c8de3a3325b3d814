internal import Documents
internal import MeshCore
internal import MeshModel
internal import MeshStore

struct TenantWriteRules: ObjectWriteRules {
    func checkDeletion(of object: StoredObject, in transaction: StoreTransaction) async throws {
        for kind in kinds.all where kind != .tenant {
            let page = try await transaction.list(ListQuery(kind: kind, tenant: object.key.tenant, pageSize: 2))
            // The mesh that every tenant has goes with it.
            if let first = page.items.first(where: { kind != .mesh || $0.key.name != .defaultMesh }) {
                throw ControlError.conflict(.inUse(object.key, by: [first.key]))
            }
        }
    }
}

extension ControlError.Conflict {
    /// At most this many users of an object are named.
    static let shown = 5

    /// An object cannot go because others need it.
    ///
    /// - Parameter others: more of them, of which only a newer version of this server knows what they are.
    static func inUse(_ key: ObjectKey, by users: [ObjectKey], besides others: [String] = []) -> Self {
        let all = users.map(\.placed) + others
        let names = all.prefix(shown).joined(separator: ", ")
        return Self(
            "inUse",
            "the \(key.described) is used by \(names)\(all.count > shown ? " and others" : ""); change or delete that first",
            members: [
                "usedBy": .array(users.prefix(shown).map { $0.reference(from: key) })
            ])
    }
}
