package import Documents
package import MeshCore
package import MeshModel
internal import Postgres

/// An object's key and spec, without what may be large beside them.
package struct StoredSpec: Hashable, Sendable {
    package var key: ObjectKey
    package var spec: JSONValue

    /// What ``init(_:)`` reads.
    static let columns: Statement = "tenant, kind, mesh, namespace, service, name, spec"

    init(_ row: Row) throws(PostgresError) {
        key = try ObjectRow.key(row)
        spec = try row.json("spec")
    }
}

extension StoreTransaction {
    /// All endpoints of a service.
    package func allEndpoints(of service: ObjectKey) async throws -> [StoredSpec] {
        try await session.query(
            "SELECT \(StoredSpec.columns) FROM object WHERE \(Self.isEndpoint(of: service)) ORDER BY name"
        ).all(StoredSpec.init)
    }

    /// Some endpoints of a service: whether there are any, and examples to name.
    package func endpoints(of service: ObjectKey) async throws -> [StoredSpec] {
        try await session.query(
            "SELECT \(StoredSpec.columns) FROM object WHERE \(Self.isEndpoint(of: service)) ORDER BY name LIMIT 10"
        ).all(StoredSpec.init)
    }

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

    /// Some endpoints that run in a cluster: whether there are any, and examples to name.
    package func endpoints(inCluster cluster: Name, of tenant: Name) async throws -> [StoredSpec] {
        try await session.query(
            """
            SELECT \(StoredSpec.columns) FROM object
             WHERE tenant = \(tenant.text) AND kind = 'Endpoint' AND spec ->> 'cluster' = \(cluster.text)
             LIMIT 10
            """
        ).all(StoredSpec.init)
    }

    private static func isEndpoint(of service: ObjectKey) -> Statement {
        let row = ObjectRow(service)
        return """
            tenant = \(row.tenant) AND kind = 'Endpoint' AND mesh = \(row.mesh) AND namespace = \(row.namespace) \
            AND service = \(row.name)
            """
    }
}
