package import MeshCore
package import MeshModel
internal import Postgres

extension StoreTransaction {
    /// Endpoints that have something that only one of them can use: of the same service those at an address, and of the same
    /// namespace those behind a sidecar (`nil`: not looked at). The first that were there, at most 200.
    package func endpoints(
        besides endpoint: ObjectKey, at address: String, orBehind proxy: Name?
    ) async throws -> [StoredObject] {
        let row = ObjectRow(endpoint)
        let place: Statement =
            "tenant = \(row.tenant) AND kind = 'Endpoint' AND mesh = \(row.mesh) AND namespace = \(row.namespace)"
        let isNeighbour: Statement = """
            service = \(row.service) AND name <> \(row.name) AND spec ->> 'address' = \(address)
            """
        var query: Statement = "SELECT \(ObjectRow.columns) FROM object WHERE \(place) AND \(isNeighbour)"
        if let proxy {
            query.append(
                """
                 UNION ALL SELECT \(ObjectRow.columns) FROM object
                 WHERE \(place) AND sidecar = \(proxy.text) AND NOT (service = \(row.service) AND name = \(row.name))
                   AND NOT (\(isNeighbour))
                """)
        }
        query.append(" ORDER BY created_at, service, name LIMIT 200")
        return try await session.query(query).all(ObjectRow.decode)
    }
}
