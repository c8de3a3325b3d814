package import Documents
package import MeshCore
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

    /// Endpoints of the same service that share an address or (`nil`: not looked at) a sidecar; examples to name.
    package func endpoints(
        besides endpoint: ObjectKey, at address: String, orBehind proxy: Name?
    ) async throws -> [StoredSpec] {
        let row = ObjectRow(endpoint)
        return try await session.query(
            """
            SELECT \(StoredSpec.columns) FROM object
             WHERE tenant = \(row.tenant) AND kind = 'Endpoint' AND mesh = \(row.mesh) AND namespace = \(row.namespace)
               AND service = \(row.service) AND name <> \(row.name)
               AND (spec ->> 'address' = \(address) OR spec -> 'sidecar' ->> 'proxy' = \(proxy?.text ?? ""))
             ORDER BY name LIMIT 10
            """
        ).all(StoredSpec.init)
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
