package import MeshCore
internal import Postgres

extension StoreTransaction {
    /// VirtualServices of the mesh in whose document a string is the service's name or begins with it and a dot, by namespace and
    /// name: all that may send requests to it, and few others.
    package func virtualServices(mentioning service: ObjectKey) async throws -> [StoredSpec] {
        let row = ObjectRow(service)
        // A name has no wildcard in it.
        let patterns = ["%\"\(row.name)\"%", "%\"\(row.name).%"]
        return try await session.query(
            """
            SELECT \(StoredSpec.columns) FROM object
             WHERE tenant = \(row.tenant) AND kind = 'VirtualService' AND mesh = \(row.mesh)
               AND spec::text LIKE ANY (\(patterns)::text[])
             ORDER BY namespace, name
            """
        ).all(StoredSpec.init)
    }
}
