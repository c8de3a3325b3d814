package import MeshModel
internal import Postgres

extension StoreTransaction {
    /// All endpoints of a service.
    package func endpoints(of service: ObjectKey) async throws -> [StoredObject] {
        let row = ObjectRow(service)
        return try await session.query(
            """
            SELECT \(ObjectRow.columns) FROM object
             WHERE tenant = \(row.tenant) AND kind = 'Endpoint' AND mesh = \(row.mesh) AND namespace = \(row.namespace)
               AND service = \(row.name)
             ORDER BY name
            """
        ).all(ObjectRow.decode)
    }

    /// Endpoints of the same service that share an address or (`nil`: not looked at) a sidecar; examples to name.
    package func endpoints(
        besides endpoint: ObjectKey, at address: String, orBehind proxy: Name?
    ) async throws -> [StoredObject] {
        let row = ObjectRow(endpoint)
        return try await session.query(
            """
            SELECT \(ObjectRow.columns) FROM object
             WHERE tenant = \(row.tenant) AND kind = 'Endpoint' AND mesh = \(row.mesh) AND namespace = \(row.namespace)
               AND service = \(row.service) AND name <> \(row.name)
               AND (spec ->> 'address' = \(address) OR spec -> 'sidecar' ->> 'proxy' = \(proxy?.text ?? ""))
             ORDER BY name LIMIT 10
            """
        ).all(ObjectRow.decode)
    }

    /// Some endpoints that run in a cluster: whether there are any, and examples to name.
    package func endpoints(inCluster cluster: Name, of tenant: Name) async throws -> [StoredObject] {
        try await session.query(
            """
            SELECT \(ObjectRow.columns) FROM object
             WHERE tenant = \(tenant.text) AND kind = 'Endpoint' AND spec ->> 'cluster' = \(cluster.text)
             LIMIT 10
            """
        ).all(ObjectRow.decode)
    }
}
