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
