internal import MeshCore
internal import MeshModel
internal import Postgres

/// A window's times go with it, and the releases that waited for it, or have to from now on, are looked at.
struct FreezeWindowHook: KindHook {
    func statements(
        for write: ObjectWrite, _ key: ObjectKey, _ transaction: StoreTransaction
    ) throws -> [Statement] {
        let row = ObjectRow(key)
        let wake = StoreTransaction.wakeReleases(in: (row.tenant, row.mesh), namespace: row.namespace)
        return switch write {
        case .creating, .replacing: [wake]
        case .status: []
        case .deleting: StoreTransaction.forgetFreezeTimes(of: key) + [wake]
        }
    }

    var wakesReleases: Bool { true }
}
