package import MeshModel
internal import Postgres

/// What a replica says of a proxy that is, or was last, connected to it.
package struct ProxyRow: Hashable, Sendable {
    package var mesh: MeshKey
    package var name: NamespacedName
    package var replica: String
    package var connected: Bool
    package var connectedAt: MeshModel.Timestamp
    /// Everything of this revision of the mesh that concerns the proxy has been acknowledged.
    package var ackedRevision: Revision
    /// What was refused last and has not been replaced since.
    package var rejectedRevision: Revision?
    package var rejectedMessage: String?
    /// Per resource type: state, versions, last error, and what is refused (``ProxyRejection``).
    package var types: JSONValue
    /// What decides the proxy's configuration besides its name; read by those who wrote it.
    package var client: JSONValue
    /// The mesh's, so that what is said of an earlier mesh of the name is not taken for this one's; `nil`: of whichever is there.
    package var meshUID: String?

    package init(
        mesh: MeshKey, name: NamespacedName, replica: String, connected: Bool, connectedAt: MeshModel.Timestamp,
        ackedRevision: Revision, rejectedRevision: Revision? = nil, rejectedMessage: String? = nil, types: JSONValue,
        client: JSONValue = [:], meshUID: String? = nil
    ) {
        self.mesh = mesh
        self.name = name
        self.replica = replica
        self.connected = connected
        self.connectedAt = connectedAt
        self.ackedRevision = ackedRevision
        self.rejectedRevision = rejectedRevision
        self.rejectedMessage = rejectedMessage
        self.types = types
        self.client = client
        self.meshUID = meshUID
    }
}

/// How far the proxies of a mesh are, as all replicas together know it.
package struct MeshAcks: Hashable, Sendable {
    package struct Rejection: Hashable, Sendable {
        package var proxy: String
        package var revision: Revision
        package var message: String
        /// What the proxy refuses and where that comes from.
        package var details: [ProxyRejection]
    }

    package var meshRevision: Revision
    package var connected: Int
    /// Of those, the ones that have acknowledged the revision that was asked for; 0 if none was.
    package var ackedClusters: Int
    package var ackedRoutes: Int
    /// At most 20.
    package var rejections: [Rejection]
    package var now: MeshModel.Timestamp
}

extension MeshStore {
    /// A replica that has not been heard of for so long has lost its proxies.
    package static let replicaLifetime = Duration.seconds(15)

    /// Whether the replica `r` is alive.
    static let isAlive: Statement =
        "r.heartbeat_at > now() - make_interval(secs => \(Double(replicaLifetime.components.seconds)))"

    /// A proxy `p` counts as connected if its replica says so and is alive.
    static let isConnected: Statement = "p.connected AND \(isAlive)"

    /// Says that a replica is alive, and tells those who watch proxies which replicas have fallen silent or come back.
    package func heartbeat(_ replica: String) async throws(StoreError) {
        _ = try await rows(
            """
            INSERT INTO replica (id) VALUES (\(replica))
            ON CONFLICT (id) DO UPDATE SET heartbeat_at = now()
            """, seeing: .all)
        try await noteSilence()
    }

    /// Says that a replica has ended: its proxies are disconnected at once, and away from now on.
    package func retire(_ replica: String) async throws(StoreError) {
        _ = try await rows(
            """
            WITH ended AS (DELETE FROM replica WHERE id = \(replica)),
                 raised AS (\(Self.raisingFeeds("SELECT tenant, mesh FROM proxy WHERE replica = \(replica) AND connected")))
            UPDATE proxy p SET connected = false, updated_at = now(), revision = raised.revision FROM raised
             WHERE p.replica = \(replica) AND p.connected AND p.tenant = raised.tenant AND p.mesh = raised.mesh
            """, seeing: .all)
    }

    /// Writes what a replica knows of some proxies, in one statement. Of rows with the same key the last counts.
    ///
    /// U+0000, which PostgreSQL cannot hold, becomes U+FFFD: what one proxy says must not be in the way of the others' rows.
    ///
    /// What is about an earlier mesh of its name is left out.
    ///
    /// A replica does not overwrite a proxy that has come back to another one, unless it says that it is connected here.
    ///
    /// The active releases of the proxies' meshes become due: what they wait for may have happened.
    ///
    /// - Returns: whether there were any.
    @discardableResult
    package func report(_ reports: [ProxyRow]) async throws(StoreError) -> Bool {
        struct Key: Hashable {
            var mesh: MeshKey
            var name: NamespacedName
        }
        let latest = Dictionary(reports.map { (Key(mesh: $0.mesh, name: $0.name), $0) }) { _, last in last }
        guard !latest.isEmpty else { return false }
        let rows = Array(latest.values)
        var documents = Documents()
        let types = try rows.map { row throws(StoreError) in try documents.number(of: row.types) }
        let clients = try rows.map { row throws(StoreError) in try documents.number(of: row.client) }
        // Most proxies are there already, and their keys are left alone: each part of a new row's key is checked by a regular
        // expression, and that costs more than all the rest.
        return try await self.rows(
            """
            WITH document AS (
                SELECT * FROM unnest(\(documents.texts)::jsonb[]) WITH ORDINALITY AS document (body, number)),
            reported AS (
                SELECT r.tenant, r.mesh, r.namespace, r.name, r.replica, r.connected, r.connected_at, r.acked_revision,
                       r.rejected_revision, r.rejected_message, types.body AS types, client.body AS client
                  FROM unnest(
                    \(rows.map(\.mesh.tenant.text))::text[], \(rows.map(\.mesh.mesh.text))::text[],
                    \(rows.map(\.name.namespace.text))::text[], \(rows.map(\.name.name.text))::text[],
                    \(rows.map(\.replica))::text[], \(rows.map(\.connected))::boolean[],
                    \(rows.map(\.connectedAt.stored))::timestamptz[], \(rows.map(\.ackedRevision))::bigint[],
                    \(rows.map(\.rejectedRevision))::bigint[], \(rows.map { $0.rejectedMessage?.withoutNull })::text[],
                    \(types)::bigint[], \(clients)::bigint[], \(rows.map(\.meshUID))::uuid[]
                  ) AS r (tenant, mesh, namespace, name, replica, connected, connected_at, acked_revision,
                          rejected_revision, rejected_message, types, client, mesh_uid)
                  JOIN document types ON types.number = r.types
                  JOIN document client ON client.number = r.client
                 WHERE r.mesh_uid IS NULL OR EXISTS (
                    SELECT FROM mesh m WHERE (m.tenant, m.mesh, m.uid) = (r.tenant, r.mesh, r.mesh_uid))),
            raised AS (\(Self.raisingFeeds("SELECT tenant, mesh FROM reported"))),
            updated AS (
                UPDATE proxy p
                   SET replica = r.replica, connected = r.connected, connected_at = r.connected_at,
                       acked_revision = r.acked_revision, rejected_revision = r.rejected_revision,
                       rejected_message = r.rejected_message, types = r.types, client = r.client,
                       updated_at = now(), revision = raised.revision
                  FROM reported r JOIN raised USING (tenant, mesh)
                 WHERE (p.tenant, p.mesh, p.namespace, p.name) = (r.tenant, r.mesh, r.namespace, r.name)
                   AND (r.connected OR p.replica = r.replica)),
            inserted AS (
                INSERT INTO proxy AS p (tenant, mesh, namespace, name, replica, connected, connected_at, acked_revision,
                                        rejected_revision, rejected_message, types, client, revision)
                SELECT r.*, raised.revision FROM reported r JOIN raised USING (tenant, mesh)
                 WHERE NOT EXISTS (
                    SELECT FROM proxy p
                     WHERE (p.tenant, p.mesh, p.namespace, p.name) = (r.tenant, r.mesh, r.namespace, r.name))
                 ORDER BY tenant COLLATE "C", mesh COLLATE "C", namespace COLLATE "C", name COLLATE "C"
                -- Another replica was quicker.
                ON CONFLICT (tenant, mesh, namespace, name) DO UPDATE
                   SET replica = excluded.replica, connected = excluded.connected, connected_at = excluded.connected_at,
                       acked_revision = excluded.acked_revision, rejected_revision = excluded.rejected_revision,
                       rejected_message = excluded.rejected_message, types = excluded.types, client = excluded.client,
                       updated_at = now(), revision = excluded.revision
                 WHERE excluded.connected OR p.replica = excluded.replica),
            woken AS (
                UPDATE release SET next_wakeup_at = now() FROM raised
                 WHERE (release.tenant, release.mesh) = (raised.tenant, raised.mesh) AND active AND next_wakeup_at > now()
                RETURNING 1)
            SELECT EXISTS (SELECT FROM woken) AS woken
            """, seeing: .all
        ).single { row throws(PostgresError) -> Bool in try row["woken"] }
    }

    /// Documents as they are stored, each once: most proxies of a mesh have the same ones.
    private struct Documents {
        private(set) var texts: [JSONText] = []
        private var numbers: [JSONValue: Int64] = [:]
        private var last: (document: JSONValue, number: Int64)?

        /// - Returns: the document's place in ``texts``, from 1 on.
        mutating func number(of document: JSONValue) throws(StoreError) -> Int64 {
            // Mostly the same as the one before, and that is quicker to see than to look it up.
            if let last, last.document == document { return last.number }
            let number: Int64
            if let known = numbers[document] {
                number = known
            } else {
                texts.append(try document.withoutNull.stored)
                number = Int64(texts.count)
                numbers[document] = number
            }
            last = (document, number)
            return number
        }
    }

    /// How many of a mesh's proxies are connected, and how many of those have acknowledged each of two revisions.
    ///
    /// - Throws: ``StoreError/notFound`` if there is no such mesh.
    package func acks(
        of mesh: MeshKey, clusters: Revision?, routes: Revision?
    ) async throws(StoreError) -> MeshAcks {
        let (tenant, name) = (mesh.tenant.text, mesh.mesh.text)
        let live: Statement = """
            FROM proxy p JOIN replica r ON r.id = p.replica
             WHERE p.tenant = \(tenant) AND p.mesh = \(name) AND \(Self.isConnected)
            """
        let results: [Rows]
        do {
            results = try await pool.pipeline([
                Visibility.tenant(mesh.tenant).statement,
                "SELECT revision, now() AS now FROM mesh WHERE tenant = \(tenant) AND mesh = \(name)",
                """
                SELECT count(*) AS connected, count(*) FILTER (WHERE acked_revision >= \(clusters)) AS clusters,
                       count(*) FILTER (WHERE acked_revision >= \(routes)) AS routes \(live)
                """,
                """
                SELECT p.name, rejected_revision, rejected_message, types \(live) AND rejected_revision IS NOT NULL
                 ORDER BY p.name LIMIT 20
                """,
            ])
        } catch {
            throw StoreError(error)
        }
        let mesh = try results[1].first { row throws(PostgresError) -> (Revision, MeshModel.Timestamp) in
            (try row["revision"], try row.time("now"))
        }
        guard let (revision, now) = mesh else { throw .notFound }
        let rejections = try results[3].all { row throws(PostgresError) in
            MeshAcks.Rejection(
                proxy: try row["name"], revision: try row["rejected_revision"],
                message: try row["rejected_message", as: String?.self] ?? "",
                details: ProxyRejection.all(in: try row.json("types")))
        }
        return try results[2].single { row throws(PostgresError) in
            MeshAcks(
                meshRevision: revision, connected: Int(try row["connected", as: Int64.self]),
                ackedClusters: Int(try row["clusters", as: Int64.self]),
                ackedRoutes: Int(try row["routes", as: Int64.self]), rejections: rejections, now: now)
        }
    }

    /// Proxies of a mesh in the order of namespace and name, behind `after`; `connected` as all replicas together know it.
    package func proxies(
        of mesh: MeshKey, namespace: Name? = nil, name: Name? = nil, after: NamespacedName? = nil, limit: Int
    ) async throws(StoreError) -> [ProxyRow] {
        var statement: Statement = """
            SELECT p.tenant, p.mesh, p.namespace, p.name, \(Self.proxyColumns)
              FROM proxy p LEFT JOIN replica r ON r.id = p.replica
             WHERE p.tenant = \(mesh.tenant.text) AND p.mesh = \(mesh.mesh.text)
            """
        if let namespace { statement.append(" AND p.namespace = \(namespace.text)") }
        if let name { statement.append(" AND p.name = \(name.text)") }
        if let after { statement.append(" AND (p.namespace, p.name) > (\(after.namespace.text), \(after.name.text))") }
        statement.append(" ORDER BY p.namespace, p.name LIMIT \(limit)")
        return try await rows(statement, seeing: .tenant(mesh.tenant)).all(ProxyRow.init)
    }

    /// What ``ProxyRow/init(_:)`` reads besides the key, of `proxy p` and `replica r`.
    static let proxyColumns: Statement = """
        p.replica, p.connected_at, p.acked_revision, p.rejected_revision, p.rejected_message, p.types, p.client, \
        coalesce(\(isConnected), false) AS connected
        """

    /// Forgets proxies that have been away for longer than `age`, and replicas that have been silent for as long. Any number
    /// of replicas may do so at the same time.
    ///
    /// - Parameter limit: proxies that one call forgets at most.
    /// - Returns: how many were forgotten; if it is `limit`, there may be more.
    package func forgetProxies(awayFor age: Duration, atMost limit: Int = 1_000) async throws(StoreError) -> Int {
        let seconds = Double(age.components.seconds)
        let forgotten = try await rows(
            """
            WITH old AS (
                SELECT p.tenant, p.mesh, p.namespace, p.name, p.updated_at FROM proxy p
                 WHERE p.updated_at < now() - make_interval(secs => \(seconds))
                   AND (NOT p.connected OR NOT EXISTS (
                        SELECT 1 FROM replica r
                         WHERE r.id = p.replica AND r.heartbeat_at > now() - make_interval(secs => \(seconds))))
                 LIMIT \(limit)),
            raised AS (\(Self.raisingFeeds("SELECT tenant, mesh FROM old"))),
            -- Not those that have come back meanwhile.
            gone AS (
                DELETE FROM proxy p USING old JOIN raised USING (tenant, mesh)
                 WHERE (p.tenant, p.mesh, p.namespace, p.name) = (old.tenant, old.mesh, old.namespace, old.name)
                   AND p.updated_at = old.updated_at
                RETURNING p.tenant, p.mesh, raised.revision, p.namespace, p.name)
            INSERT INTO forgotten_proxy (tenant, mesh, revision, namespace, name) SELECT * FROM gone
            """, seeing: .all
        ).affectedRows
        _ = try await rows(
            "DELETE FROM replica WHERE heartbeat_at < now() - make_interval(secs => \(seconds))", seeing: .all)
        return forgotten
    }
}

extension ProxyRow {
    /// A row with the key's columns and ``MeshStore/proxyColumns``.
    init(_ row: Row) throws(PostgresError) {
        self.init(
            mesh: MeshKey(tenant: try row.name("tenant"), mesh: try row.name("mesh")),
            name: NamespacedName(namespace: try row.name("namespace"), name: try row.name("name")),
            replica: try row["replica"], connected: try row["connected"], connectedAt: try row.time("connected_at"),
            ackedRevision: try row["acked_revision"], rejectedRevision: try row["rejected_revision"],
            rejectedMessage: try row["rejected_message"], types: try row.json("types"), client: try row.json("client"))
    }
}
