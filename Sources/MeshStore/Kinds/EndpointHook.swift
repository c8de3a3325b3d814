internal import Documents
internal import MeshCore
internal import MeshModel
internal import Postgres

/// A proxy that no endpoint names any more may be gone for good; releases are told since when.
struct EndpointHook: KindHook {
    func statements(
        for write: ObjectWrite, _ key: ObjectKey, _ transaction: StoreTransaction
    ) throws -> [Statement] {
        switch write {
        case .creating, .status: []
        case .replacing(let old, let new): Self.departure(from: old, replacedBy: new, key)
        case .deleting(let old): Self.departure(from: old.spec, replacedBy: nil, key)
        }
    }

    private static func departure(
        from old: JSONValue, replacedBy new: JSONValue?, _ key: ObjectKey
    ) -> [Statement] {
        guard let proxy = old["sidecar"]?["proxy"]?.stringValue, new?["sidecar"]?["proxy"]?.stringValue != proxy
        else { return [] }
        let row = ObjectRow(key)
        return [
            """
            INSERT INTO departed_proxy (tenant, mesh, namespace, name, unregistered_at)
            VALUES (\(row.tenant), \(row.mesh), \(row.namespace), \(proxy), now())
            ON CONFLICT (tenant, mesh, namespace, name) DO UPDATE SET unregistered_at = excluded.unregistered_at
            """
        ]
    }
}
