internal import MeshCore
internal import MeshModel
internal import Postgres

/// A cluster belongs to no mesh but decides which endpoints do: its change is one of every mesh of the tenant.
struct ClusterHook: KindHook {
    func statements(
        for write: ObjectWrite, _ key: ObjectKey, _ transaction: StoreTransaction
    ) throws -> [Statement] {
        var isDeleted = false
        if case .deleting = write { isDeleted = true }
        let tenant = key.tenant.text
        return [
            """
            WITH raised AS (
                UPDATE mesh SET revision = revision + 1 WHERE tenant = \(tenant) AND mesh <> '' RETURNING mesh, revision)
            INSERT INTO change (tenant, mesh, revision, kind, namespace, service, name, deleted)
            SELECT \(tenant), mesh, revision, \(key.kind.name), '', '', \(key.name.text), \(isDeleted) FROM raised
            RETURNING mesh
            """
        ]
    }

    var raisesMeshes: Bool { true }
}
