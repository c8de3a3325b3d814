internal import Documents
internal import GrayRelease
package import MeshCore
internal import Postgres

/// A replica's report of a proxy that is, or was last, connected to it.
package struct ProxyRow: Hashable, Sendable {
    package var mesh: MeshKey
    package var name: NamespacedName
    package var replica: String
    package var connected: Bool
    package var connectedAt: Timestamp
    /// Everything of this revision of the mesh that concerns the proxy has been acknowledged.
    package var ackedRevision: Revision
    /// The revision of the last refusal, if what was refused has not been replaced since.
    package var rejectedRevision: Revision?
    package var rejectedMessage: String?
    /// The status of the types of resources that the proxy wants, by their names (`CDS`).
    package var types: [String: ProxyTypeStatus]
    /// `nil`: it is not known.
    package var client: ProxyClient?
    /// The mesh's, so that what is said of an earlier mesh of the name is not taken for this one's; `nil`: of whichever is there.
    package var meshUID: String?
    /// How much it reports of the requests that it sends. Only read.
    package var telemetry: ProxyTelemetry?
    /// Only written. `nil` where a row was read; reported so, the proxy counts as one that is sent everything and refuses nothing.
    package var standing: ProxyStanding?

    package init(
        mesh: MeshKey, name: NamespacedName, replica: String, connected: Bool, connectedAt: Timestamp,
        ackedRevision: Revision, rejectedRevision: Revision? = nil, rejectedMessage: String? = nil,
        types: [String: ProxyTypeStatus], client: ProxyClient? = nil, meshUID: String? = nil,
        standing: ProxyStanding? = nil
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
        self.standing = standing
    }
}

/// How much a proxy reports of the requests that it sends, by what it has reported lately.
package enum ProxyTelemetry: String, Sendable {
    /// Answers by code, latency and bytes.
    case full
    /// How many requests there were and failed: its bootstrap is an earlier server's. No verdict is made of them.
    case countsOnly
    case nothing = "none"
}

/// The outcome of a report.
package struct ReportOutcome: Hashable, Sendable {
    /// Whether there are releases that may have waited for it.
    package var wokeReleases = false
    /// Proxies of which a stream from another address lives at another replica: neither speaks for them until one has ended. To
    /// be reported again within ``MeshStore/contestTime``.
    package var contested: [ProxyRow] = []
}

extension MeshStore {
    /// A replica that has not been heard of for so long has lost its proxies.
    package static let replicaLifetime = Duration.seconds(15)

    /// Whether the replica `r` is alive.
    static let isAlive: Statement = """
        r.heartbeat_at > now() - make_interval(secs => \(Double(replicaLifetime.components.seconds))) AND NOT r.has_ended
        """

    /// A proxy `p` counts as connected if its replica says so and is alive.
    static let isConnected: Statement = "p.connected AND \(isAlive)"

    /// Says that a replica is alive and answers streams, and tells those who watch proxies which replicas have fallen silent or come back.
    package func heartbeat(_ replica: String) async throws(StoreError) {
        _ = try await rows(
            """
            INSERT INTO replica AS r (id) VALUES (\(replica))
            ON CONFLICT (id) DO UPDATE
               SET heartbeat_at = now(), up_since = CASE WHEN \(Self.isAlive) THEN r.up_since ELSE now() END, has_ended = false
            """, seeing: .all)
        try await noteSilence()
    }

    /// Says that a replica has ended: its proxies are disconnected at once, and away from now on.
    package func retire(_ replica: String) async throws(StoreError) {
        _ = try await rows(
            """
            WITH ended AS (UPDATE replica SET has_ended = true, is_lost = true WHERE id = \(replica)),
                 raised AS (\(Self.raisingFeeds("SELECT tenant, mesh FROM proxy WHERE replica = \(replica) AND connected")))
            UPDATE proxy p SET connected = false, ended_at = now(), updated_at = now(), revision = raised.revision FROM raised
             WHERE p.replica = \(replica) AND p.connected AND p.tenant = raised.tenant AND p.mesh = raised.mesh
            """, seeing: .all)
    }

    /// Writes what a replica knows of some proxies, in one statement. Of rows with the same key the last counts.
    ///
    /// U+0000, which PostgreSQL cannot hold, becomes U+FFFD: what one proxy says must not be in the way of the others' rows.
    ///
    /// What is about an earlier mesh of its name is left out.
    ///
    /// A replica does not overwrite a proxy that has come back to another one, unless it says that it is connected here. Nor does
    /// it as long as a stream from another address lives there: it may be anybody's who can make a token for the proxy's name.
    /// Meanwhile the proxy has acknowledged nothing, whoever says so. One whose address changes is served at once, and counts
    /// when the end of its old stream was noticed.
    ///
    /// The active releases of the proxies' meshes become due: what they wait for may have happened.
    ///
    @discardableResult
    package func report(_ reports: [ProxyRow]) async throws(StoreError) -> ReportOutcome {
        struct Key: Hashable {
            var mesh: MeshKey
            var name: NamespacedName
        }
        let latest = Dictionary(reports.map { (Key(mesh: $0.mesh, name: $0.name), $0) }) { _, last in last }
        guard !latest.isEmpty else { return ReportOutcome() }
        let rows = Array(latest.values)
        let standings = rows.map { $0.standing ?? ProxyStanding(firstRevision: 1, answeredRevision: $0.ackedRevision) }
        var documents = Documents()
        let types = try documents.numbers(of: rows.map(\.types), \.json)
        let clients = try documents.numbers(of: rows.map(\.client)) { $0?.json ?? [:] }
        // Most proxies are there already, and their keys are left alone: each part of a new row's key is checked by a regular
        // expression, and that costs more than all the rest.
        let done = try await self.rows(
            """
            WITH document AS (
                SELECT * FROM unnest(\(documents.texts)::jsonb[]) WITH ORDINALITY AS document (body, number)),
            reported AS (
                SELECT r.tenant, r.mesh, r.namespace, r.name, r.replica, r.connected, r.connected_at, r.acked_revision,
                       r.rejected_revision, r.rejected_message, types.body AS types, client.body AS client,
                       r.first_revision, r.answered_revision, string_to_array(r.routed, ' ') AS routed,
                       string_to_array(r.refused, ' ') AS refused, r.peer
                  FROM unnest(
                    \(rows.map(\.mesh.tenant.text))::text[], \(rows.map(\.mesh.mesh.text))::text[],
                    \(rows.map(\.name.namespace.text))::text[], \(rows.map(\.name.name.text))::text[],
                    \(rows.map(\.replica))::text[], \(rows.map(\.connected))::boolean[],
                    \(rows.map(\.connectedAt.stored))::timestamptz[], \(rows.map(\.ackedRevision))::bigint[],
                    \(rows.map(\.rejectedRevision))::bigint[], \(rows.map { $0.rejectedMessage?.withoutNull })::text[],
                    \(types)::bigint[], \(clients)::bigint[], \(standings.map(\.firstRevision))::bigint[],
                    \(standings.map(\.answeredRevision))::bigint[], \(standings.map(\.routedText))::text[],
                    \(standings.map(\.refusedText))::text[], \(standings.map(\.peer))::text[],
                    \(rows.map(\.meshUID))::uuid[]
                  ) AS r (tenant, mesh, namespace, name, replica, connected, connected_at, acked_revision,
                          rejected_revision, rejected_message, types, client, first_revision, answered_revision, routed,
                          refused, peer, mesh_uid)
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
                       updated_at = now(), revision = raised.revision, \(Self.standing(after: "r"))
                  FROM reported r JOIN raised USING (tenant, mesh)
                 WHERE (p.tenant, p.mesh, p.namespace, p.name) = (r.tenant, r.mesh, r.namespace, r.name)
                   AND (r.connected OR p.replica = r.replica) AND NOT (\(Self.isContested(by: "r")))
                RETURNING r.connected),
            inserted AS (
                INSERT INTO proxy AS p (tenant, mesh, namespace, name, replica, connected, connected_at, acked_revision,
                                        rejected_revision, rejected_message, types, client, first_revision,
                                        answered_revision, routed, refused, peer, revision, ended_at)
                SELECT r.*, raised.revision, CASE WHEN NOT r.connected THEN now() END
                  FROM reported r JOIN raised USING (tenant, mesh)
                 WHERE NOT EXISTS (
                    SELECT FROM proxy p
                     WHERE (p.tenant, p.mesh, p.namespace, p.name) = (r.tenant, r.mesh, r.namespace, r.name))
                 ORDER BY tenant COLLATE "C", mesh COLLATE "C", namespace COLLATE "C", name COLLATE "C"
                -- Another replica was quicker.
                ON CONFLICT (tenant, mesh, namespace, name) DO UPDATE
                   SET replica = excluded.replica, connected = excluded.connected, connected_at = excluded.connected_at,
                       acked_revision = excluded.acked_revision, rejected_revision = excluded.rejected_revision,
                       rejected_message = excluded.rejected_message, types = excluded.types, client = excluded.client,
                       updated_at = now(), revision = excluded.revision, \(Self.standing(after: "excluded"))
                 WHERE (excluded.connected OR p.replica = excluded.replica) AND NOT (\(Self.isContested(by: "excluded")))
                RETURNING connected),
            woken AS (
                UPDATE release SET next_wakeup_at = now() FROM raised
                 WHERE (release.tenant, release.mesh) = (raised.tenant, raised.mesh) AND active
                   -- Also one about which somebody is deciding now, without knowing of this.
                   AND (next_wakeup_at > now() OR lease_until > now())
                RETURNING 1)
            SELECT EXISTS (SELECT FROM woken) AS woken,
                   (SELECT count(*) FROM updated WHERE connected) + (SELECT count(*) FROM inserted WHERE connected) AS taken
            """, seeing: .all
        ).single { row throws(PostgresError) -> (woken: Bool, taken: Int64) in (try row["woken"], try row["taken"]) }
        let connected = rows.filter(\.connected)
        let contested = done.taken < connected.count ? try await self.contested(among: connected) : []
        return ReportOutcome(wokeReleases: done.woken, contested: contested)
    }

    /// How the columns of ``ProxyStanding`` of a row `p` follow a report. What is true of the stream before is kept until the new
    /// one has been answered once: a client that comes back still has what it had.
    private static func standing(after report: SQLIdentifier) -> Statement {
        let new: Statement = "\(identifier: report)"
        return """
            first_revision = CASE WHEN p.first_revision = 0 THEN \(new).first_revision ELSE p.first_revision END, \
            answered_revision =
                CASE WHEN \(new).answered_revision = 0 THEN p.answered_revision ELSE \(new).answered_revision END, \
            routed = CASE WHEN \(new).answered_revision = 0 THEN p.routed ELSE \(new).routed END, \
            refused = CASE WHEN \(new).answered_revision = 0 THEN p.refused ELSE \(new).refused END, peer = \(new).peer, \
            contested_at = CASE WHEN p.replica = \(new).replica THEN p.contested_at END, \
            opened_at = CASE WHEN \(new).connected AND (NOT p.connected OR p.connected_at <> \(new).connected_at
                                                        OR p.replica <> \(new).replica)
                             THEN now() ELSE p.opened_at END, \
            ended_at = CASE WHEN \(new).connected THEN NULL WHEN p.connected THEN now()
                            ELSE coalesce(p.ended_at, now()) END
            """
    }

    /// Whether a stream from elsewhere lives at another replica than that of a report.
    private static func isContested(by report: SQLIdentifier) -> Statement {
        let new: Statement = "\(identifier: report)"
        return """
            p.connected AND p.replica <> \(new).replica AND p.peer <> \(new).peer AND p.peer <> '' \
            AND EXISTS (SELECT FROM replica r WHERE r.id = p.replica AND \(isAlive))
            """
    }

    /// How long a contest is remembered of which nobody speaks any more.
    static let contestTime = Duration.seconds(10)

    /// Notes the reported proxies that are connected to another replica as contested, and returns them.
    private func contested(among rows: [ProxyRow]) async throws(StoreError) -> [ProxyRow] {
        let others = try await self.rows(
            """
            WITH reported AS (
                SELECT * FROM unnest(
                    \(rows.map(\.mesh.tenant.text))::text[], \(rows.map(\.mesh.mesh.text))::text[],
                    \(rows.map(\.name.namespace.text))::text[], \(rows.map(\.name.name.text))::text[],
                    \(rows.map(\.replica))::text[], \(rows.map { $0.standing?.peer ?? "" })::text[],
                    \(rows.map(\.meshUID))::uuid[]
                  ) WITH ORDINALITY AS r (tenant, mesh, namespace, name, replica, peer, mesh_uid, number)
                 WHERE r.mesh_uid IS NULL OR EXISTS (
                    SELECT FROM mesh m WHERE (m.tenant, m.mesh, m.uid) = (r.tenant, r.mesh, r.mesh_uid))),
            raised AS (\(Self.raisingFeeds("SELECT tenant, mesh FROM reported")))
            UPDATE proxy p SET contested_at = now() FROM reported r JOIN raised USING (tenant, mesh)
             WHERE (p.tenant, p.mesh, p.namespace, p.name) = (r.tenant, r.mesh, r.namespace, r.name)
               AND p.connected AND p.replica <> r.replica AND p.peer <> r.peer
            RETURNING r.number
            """, seeing: .all
        ).all { row throws(PostgresError) -> Int64 in try row["number"] }
        return others.map { rows[Int($0) - 1] }
    }

    /// Documents as they are stored, each once: most proxies of a mesh have the same ones.
    private struct Documents {
        private(set) var texts: [JSONText] = []

        /// - Returns: the places of the values' documents in ``texts``, from 1 on.
        mutating func numbers<Value: Hashable>(
            of values: [Value], _ document: (Value) -> JSONValue
        ) throws(StoreError) -> [Int64] {
            var known: [Value: Int64] = [:]
            var last: (value: Value, number: Int64)?
            var numbers: [Int64] = []
            for value in values {
                // Mostly the same as the one before, and that is quicker to see than to look it up.
                if last?.value != value {
                    if known[value] == nil {
                        texts.append(try document(value).withoutNull.stored)
                        known[value] = Int64(texts.count)
                    }
                    last = known[value].map { (value, $0) }
                }
                if let last { numbers.append(last.number) }
            }
            return numbers
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

    /// The columns that ``ProxyRow/init(_:)`` reads besides the key, of `proxy p` and `replica r`.
    static let proxyColumns: Statement = """
        p.replica, p.connected_at, p.acked_revision, p.rejected_revision, p.rejected_message, p.types, p.client, \
        coalesce(\(isConnected), false) AS connected, \(telemetry) AS telemetry
        """

    /// How long a report counts: sidecars report every ten seconds, of which rows hear every twenty.
    private static let reportLifetime = Duration.seconds(60)

    /// The ``ProxyTelemetry`` of `proxy p`.
    static let telemetry: Statement = """
        CASE WHEN p.stats_at > now() - make_interval(secs => \(Double(reportLifetime.components.seconds))) THEN 'full'
             WHEN p.loads_at > now() - make_interval(secs => \(Double(reportLifetime.components.seconds))) THEN 'countsOnly'
             ELSE 'none' END
        """

    /// Forgets proxies that have been away for longer than `age`, and replicas that have been silent for as long. Any number
    /// of replicas may do so at the same time.
    ///
    /// Nothing is forgotten before a replica has been there for as long as proxies may need to find it: after an outage of any
    /// length, who was there before it is still waited for.
    ///
    /// - Parameter limit: proxies that one call forgets at most.
    /// - Returns: how many were forgotten; if it is `limit`, there may be more.
    package func forgetProxies(awayFor age: Duration, atMost limit: Int = 1_000) async throws(StoreError) -> Int {
        let seconds = Double(age.components.seconds)
        let grace = ReleaseObservations.proxyGrace
        let forgotten = try await rows(
            """
            WITH old AS (
                SELECT p.tenant, p.mesh, p.namespace, p.name, p.updated_at FROM proxy p
                 WHERE p.updated_at < now() - make_interval(secs => \(seconds))
                   AND EXISTS (
                        SELECT FROM replica r
                         WHERE \(Self.isAlive)
                           AND r.up_since < now() - make_interval(secs => \(2 * Double(grace.components.seconds))))
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
            """
            WITH departed AS (
                DELETE FROM departed_proxy WHERE greatest(said_at, unregistered_at) < now() - make_interval(secs => \(seconds)))
            DELETE FROM replica r WHERE heartbeat_at < now() - make_interval(secs => \(seconds))
               AND NOT EXISTS (SELECT FROM proxy p WHERE p.replica = r.id)
            """, seeing: .all)
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
            rejectedMessage: try row["rejected_message"], types: [String: ProxyTypeStatus](try row.json("types")),
            client: ProxyClient(try row.json("client")))
        telemetry = ProxyTelemetry(rawValue: try row["telemetry"])
    }
}

extension ProxyStanding {
    /// The services as a list that is separated by spaces, which PostgreSQL's arrays of arrays cannot be.
    fileprivate var routedText: String? { routed.map { $0.map(\.description).sorted().joined(separator: " ") } }

    fileprivate var refusedText: String? {
        refused.isEmpty ? nil : refused.map(\.text).sorted().joined(separator: " ")
    }
}
