internal import Documents
package import MeshCore
package import MeshModel
internal import Postgres

/// The refusals of one of a mesh's objects by connected proxies.
package struct ObjectRefusal: Hashable, Sendable {
    /// How many refuse something that was made of the object; at least 1.
    package var proxies: Int
    /// The number of proxies that are connected.
    package var connected: Int
    /// One of the refusals.
    package var example: ProxyRejection
    /// Since when the first of them has refused.
    package var since: Timestamp

    package init(proxies: Int, connected: Int, example: ProxyRejection, since: Timestamp) {
        self.proxies = proxies
        self.connected = connected
        self.example = example
        self.since = since
    }
}

extension MeshStore {
    /// One object with its conditions.
    ///
    /// - Returns: `nil` if there is none of this tenant.
    package func fetchWithConditions(_ key: ObjectKey) async throws(StoreError) -> StoredObject? {
        try await rows(
            """
            SELECT \(ObjectRow.columns), \(ObjectRow.conditions(of: "object")) FROM object
             WHERE \(ObjectRow(key).predicate)
            """, seeing: .tenant(key.tenant)
        ).first(ObjectRow.decodeWithConditions)
    }

    /// One object of a mesh with its conditions, and what proxies have against it, in one statement. Where nothing in the mesh is refused, the
    /// second part costs a look into an empty index.
    ///
    /// - Returns: `nil` if there is no such object of this tenant.
    package func fetchWithRefusal(
        _ key: ObjectKey
    ) async throws(StoreError) -> (object: StoredObject, refusal: ObjectRefusal?)? {
        try await rows(try Self.selectWithRefusal(key), seeing: .tenant(key.tenant)).first {
            row throws(PostgresError) in
            let object = try ObjectRow.decodeWithConditions(row)
            let refusing = try row["refusing", as: Int64.self]
            guard refusing > 0, let example = ProxyRejection(try row.json("example")) else { return (object, nil) }
            let refusal = ObjectRefusal(
                proxies: Int(refusing), connected: Int(try row["connected", as: Int64.self]), example: example,
                since: try row.time("since"))
            return (object, refusal)
        }
    }

    static func selectWithRefusal(_ key: ObjectKey) throws(StoreError) -> Statement {
        let row = ObjectRow(key)
        let names: JSONValue = [
            "kind": .string(row.kind), "namespace": .string(row.namespace), "name": .string(row.name),
        ]
        let connected: Statement = """
            FROM proxy p JOIN replica r ON r.id = p.replica
             WHERE p.tenant = \(row.tenant) AND p.mesh = \(row.mesh) AND \(Self.isConnected)
            """
        return """
            SELECT \(ObjectRow.columns), \(ObjectRow.conditions(of: "object")), refusing, example, since,
                   CASE WHEN refusing > 0 THEN (SELECT count(*) \(connected)) ELSE 0 END AS connected
              FROM object, LATERAL (
                SELECT count(*) AS refusing, min(rejection::text)::jsonb AS example,
                       min((rejection->>'since')::timestamptz) AS since
                  FROM (SELECT jsonb_path_query_first(
                            p.types, '$.*.rejections[*] ? (@.object.kind == $kind
                                && @.object.namespace == $namespace && @.object.name == $name)', \(try names.stored)
                        ) AS rejection \(connected) AND p.rejected_revision IS NOT NULL) AS refused
                 WHERE rejection IS NOT NULL) AS refusals
             WHERE \(row.predicate)
            """
    }
}
