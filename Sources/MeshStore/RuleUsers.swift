package import MeshModel
internal import Postgres

extension StoreTransaction {
    /// VirtualServices of the mesh in whose document the service's name stands, by namespace and name: all that may send
    /// requests to it, and others.
    package func virtualServices(mentioning service: ObjectKey) async throws -> [StoredObject] {
        let row = ObjectRow(service)
        return try await session.query(
            """
            SELECT \(ObjectRow.columns) FROM object
             WHERE tenant = \(row.tenant) AND kind = 'VirtualService' AND mesh = \(row.mesh)
               AND strpos(spec::text, \(row.name)) > 0
             ORDER BY namespace, name
            """
        ).all(ObjectRow.decode)
    }
}
