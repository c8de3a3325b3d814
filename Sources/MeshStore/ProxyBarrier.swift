internal import Documents
package import GrayRelease
package import MeshCore
internal import Postgres

/// The things that a proxy lacks because it refused them, in the mesh's words, so that whoever waits for a release can tell whether that
/// is about it. A service's clusters and endpoints are one: the same objects are to blame.
package enum RefusedPart: Hashable, Sendable {
    /// The one table that has everybody's routes, or more than could be named.
    case everything
    case clusters(of: NamespacedName)
    /// The routes of a service's own name, for clients that have a table for each.
    case routes(of: NamespacedName)

    var text: String {
        switch self {
        case .everything: "*"
        case .clusters(let service): "clusters/\(service)"
        case .routes(let service): "routes/\(service)"
        }
    }
}

/// The standing by which the barrier of releases goes, beside what is listed of a proxy.
package struct ProxyStanding: Hashable, Sendable {
    /// The mesh's revision of the first configuration that was sent on the stream; 0: none was yet. The row of a proxy keeps the
    /// first that it was ever sent.
    package var firstRevision: Revision
    /// Everything of this revision that the proxy wants was sent and answered, accepted or refused; 0: nothing yet.
    package var answeredRevision: Revision
    /// Services whose routes it is sent; `nil`: all.
    package var routed: [NamespacedName]?
    package var refused: Set<RefusedPart>
    /// The address that the stream comes from; empty: unknown.
    package var peer: String

    package init(
        firstRevision: Revision, answeredRevision: Revision, routed: [NamespacedName]? = nil,
        refused: Set<RefusedPart> = [], peer: String = ""
    ) {
        self.firstRevision = firstRevision
        self.answeredRevision = answeredRevision
        self.routed = routed
        self.refused = refused
        self.peer = peer
    }
}

/// The services whose resources a release changes: its own, and those whose routes may name that one. Only proxies that are sent some of
/// these resources count when the release waits.
package struct ReleaseFootprint: Hashable, Sendable {
    package var service: NamespacedName
    package var routes: Set<NamespacedName>

    package init(service: NamespacedName, routes: Set<NamespacedName>) {
        self.service = service
        self.routes = routes
    }

    var routed: [String] { routes.map(\.description).sorted() }

    fileprivate var refused: [String] {
        ([.everything, .clusters(of: service)] + routes.map(RefusedPart.routes)).map(\.text).sorted()
    }
}

/// How far the proxies of a mesh are with a release, as all replicas together know it.
package struct MeshAcks: Hashable, Sendable {
    package struct Rejection: Hashable, Sendable {
        package var proxy: String
        package var revision: Revision
        package var message: String
        /// The refusals of the proxy and where they come from.
        package var details: [ProxyRejection]
    }

    package var meshRevision: Revision
    package var proxies = ReleaseObservations.Proxies()
    /// The refusals of what the release is about, by proxies that count; at most 20.
    package var rejections: [Rejection] = []
    /// The freeze windows that are in force for the release's service, as `MeshStore.freezes` has them.
    package var freezes: [Freeze] = []
    package var now: Timestamp
}

/// The barrier of releases. It is computed from facts in the rows of proxies, replicas and endpoints, whenever a release asks:
/// nothing is written for a step, however many proxies there are, and whoever asks again gets the same answer.
///
/// Who counts is fixed by the revision: proxies that were sent configuration from before it (`first_revision`). Who comes
/// later was never sent anything else. That their first revision is compared, and not the time of their first stream, leaves
/// the replicas' clocks out, and counts those who first came to a replica that was behind.
extension MeshStore {
    /// How long a stream may have ended at a replica that lives before its proxy is gone: a live Envoy's first attempt comes
    /// within 2 s.
    package static let returnTime = Duration.seconds(10)

    /// - Parameter revision: that the release's traffic was committed in; `nil`: nobody is counted.
    /// - Throws: ``StoreError/notFound`` if there is no such mesh.
    package func acks(
        of mesh: MeshKey, at revision: Revision?, of release: ReleaseFootprint
    ) async throws(StoreError) -> MeshAcks {
        let (tenant, name) = (mesh.tenant.text, mesh.mesh.text)
        var statements = [
            Visibility.tenant(mesh.tenant).statement,
            """
            SELECT revision, now() AS now, (SELECT min(r.up_since) FROM replica r WHERE \(Self.isAlive)) AS served,
                   EXISTS (SELECT FROM proxy_feed WHERE tenant = \(tenant) AND mesh = \(name)) AS had_any
              FROM mesh WHERE tenant = \(tenant) AND mesh = \(name)
            """,
            Self.freezes(of: release.service, in: mesh),
        ]
        if let revision {
            statements.append(Self.barrier(mesh, revision, release))
            statements.append(Self.refusals(mesh, revision, release))
        }
        let results: [Rows]
        do {
            results = try await pool.pipeline(statements)
        } catch {
            throw StoreError(error)
        }
        guard var acks = try results[1].first(MeshAcks.init) else { throw .notFound }
        acks.freezes = try results[2].all(Freeze.init)
        guard revision != nil else { return acks }
        let proxies = acks.proxies
        acks.proxies = try results[3].single { row throws(PostgresError) in try proxies.counted(in: row) }
        acks.rejections = try results[4].all(MeshAcks.Rejection.init)
        return acks
    }

    /// Proxies `p` that count for a release, gone or not.
    private static func counts(_ mesh: MeshKey, _ revision: Revision, _ release: ReleaseFootprint) -> Statement {
        """
        p.tenant = \(mesh.tenant.text) AND p.mesh = \(mesh.mesh.text) AND p.first_revision BETWEEN 1 AND \(revision - 1) \
        AND (p.routed IS NULL OR p.routed && \(release.routed)::text[])
        """
    }

    /// One row. : a proxy without a stream is gone when no endpoint names it any
    /// more or it said goodbye; ``returnTime`` after its stream ended at a replica that lived on; or
    /// ``ReleaseObservations/proxyGrace`` after there is a server to come back to, also one that has ended since: who was given
    /// up once is not waited for anew with every restart. The last two not while a ready endpoint names it.
    static func barrier(_ mesh: MeshKey, _ revision: Revision, _ release: ReleaseFootprint) -> Statement {
        let (back, grace) = (returnTime, ReleaseObservations.proxyGrace)
        let returnSeconds = Double(back.components.seconds)
        let graceSeconds = Double(grace.components.seconds)
        let contestSeconds = Double(contestTime.components.seconds)
        return """
            WITH served AS MATERIALIZED (SELECT min(r.up_since) AS since FROM replica r WHERE \(isAlive)),
            counted AS MATERIALIZED (
                SELECT p.tenant, p.mesh, p.namespace, p.name, p.opened_at, p.connected,
                       coalesce(\(isAlive), false) AS alive, r.heartbeat_at,
                       CASE WHEN p.connected THEN coalesce(r.heartbeat_at, p.updated_at)
                            ELSE coalesce(p.ended_at, p.updated_at) END AS since,
                       p.answered_revision >= \(revision)
                           AND coalesce(p.contested_at < now() - make_interval(secs => \(contestSeconds)), true)
                           AND NOT coalesce(p.refused && \(release.refused)::text[], false) AS acked
                  FROM proxy p LEFT JOIN replica r ON r.id = p.replica
                 WHERE \(counts(mesh, revision, release))),
            lost AS (
                SELECT c.*, NOT connected AND (alive OR coalesce(
                                heartbeat_at >= c.since + make_interval(secs => \(returnSeconds)), false)) AS at_living,
                       coalesce(heartbeat_at >= c.since + make_interval(secs => \(returnSeconds)), false) AS outlived,
                       CASE WHEN served.since IS NOT NULL
                            THEN greatest(c.since, served.since) + make_interval(secs => \(graceSeconds)) END AS grace
                  FROM counted c, served WHERE NOT acked AND NOT (connected AND alive)),
            judged AS (
                SELECT l.*, CASE WHEN at_living THEN outlived
                                 ELSE coalesce(grace <= now(), false) OR EXISTS (
                                   SELECT FROM replica r
                                    WHERE least(r.heartbeat_at, now())
                                        >= greatest(l.since, r.up_since) + make_interval(secs => \(graceSeconds))) END AS is_over,
                       CASE WHEN at_living THEN l.since + make_interval(secs => \(returnSeconds)) ELSE grace END AS until,
                       EXISTS (
                           SELECT FROM departed_proxy d
                            WHERE d.tenant = l.tenant AND d.mesh = l.mesh AND d.namespace = l.namespace AND d.name = l.name
                              AND (d.said_at >= l.opened_at OR (d.unregistered_at >= l.opened_at AND NOT EXISTS (
                                   SELECT FROM object e WHERE e.tenant = l.tenant AND e.mesh = l.mesh
                                      AND e.namespace = l.namespace AND e.sidecar = l.name)))) AS departed,
                       EXISTS (
                           SELECT FROM object e WHERE e.tenant = l.tenant AND e.mesh = l.mesh
                              AND e.namespace = l.namespace AND e.sidecar = l.name
                              AND e.spec ->> 'health' = 'healthy') AS ready
                  FROM lost l),
            away AS MATERIALIZED (
                SELECT j.*, CASE WHEN is_over THEN 'stillRegistered' WHEN at_living THEN 'streamEnded'
                                 ELSE 'serverLost' END AS cause
                  FROM judged j WHERE NOT departed AND (ready OR NOT is_over)),
            waiting AS (
                SELECT namespace, name FROM counted WHERE NOT acked AND connected AND alive
                UNION ALL SELECT namespace, name FROM away)
            SELECT (SELECT count(*) FROM counted WHERE acked) AS acked,
                   (SELECT count(*) FROM waiting) AS missing,
                   ARRAY(SELECT namespace || '/' || name FROM waiting ORDER BY 1 LIMIT 20) AS names,
                   \(summary(of: "streamEnded")), \(summary(of: "serverLost")), \(summary(of: "stillRegistered"))
            """
    }

    /// How many are away for a reason, since when, and until when the last is.
    private static func summary(of cause: String) -> Statement {
        """
        (SELECT count(*) FROM away WHERE cause = \(cause)) AS \(identifier: SQLIdentifier(cause + "_count")), \
        (SELECT min(since) FROM away WHERE cause = \(cause)) AS \(identifier: SQLIdentifier(cause + "_since")), \
        (SELECT max(until) FROM away WHERE cause = \(cause)) AS \(identifier: SQLIdentifier(cause + "_until"))
        """
    }

    private static func refusals(_ mesh: MeshKey, _ revision: Revision, _ release: ReleaseFootprint) -> Statement {
        """
        SELECT p.name, p.rejected_revision, p.rejected_message, p.types FROM proxy p JOIN replica r ON r.id = p.replica
         WHERE \(counts(mesh, revision, release)) AND \(isConnected) AND p.rejected_revision IS NOT NULL
           AND p.answered_revision >= \(revision) AND p.refused && \(release.refused)::text[]
         ORDER BY p.name LIMIT 20
        """
    }

    /// Notes that a proxy's workload ends: as soon as it has no stream, nobody waits for it. Void when it begins a new one.
    package func noteGoodbye(of proxy: NamespacedName, in mesh: MeshKey) async throws(StoreError) {
        _ = try await rows(
            """
            INSERT INTO departed_proxy (tenant, mesh, namespace, name, said_at)
            VALUES (\(mesh.tenant.text), \(mesh.mesh.text), \(proxy.namespace.text), \(proxy.name.text), now())
            ON CONFLICT (tenant, mesh, namespace, name) DO UPDATE SET said_at = excluded.said_at
            """, seeing: .tenant(mesh.tenant))
    }
}

extension MeshAcks {
    fileprivate init(_ row: Row) throws(PostgresError) {
        meshRevision = try row["revision"]
        now = try row.time("now")
        proxies.hadAny = try row["had_any"]
        proxies.servedSince = try row.timeIfAny("served")
    }
}

extension MeshAcks.Rejection {
    fileprivate init(_ row: Row) throws(PostgresError) {
        self.init(
            proxy: try row["name"], revision: try row["rejected_revision"],
            message: try row["rejected_message", as: String?.self] ?? "",
            details: [String: ProxyTypeStatus](try row.json("types")).rejections)
    }
}

extension ReleaseObservations.Proxies {
    fileprivate func counted(in row: Row) throws(PostgresError) -> Self {
        var proxies = self
        proxies.acked = Int(try row["acked", as: Int64.self])
        proxies.relevant = proxies.acked + Int(try row["missing", as: Int64.self])
        proxies.missing = try row["names"]
        for cause in ReleaseObservations.Away.Cause.allCases {
            let count = Int(try row["\(cause.rawValue)_count", as: Int64.self])
            guard count > 0, let since = try row.timeIfAny("\(cause.rawValue)_since") else { continue }
            let until = cause == .stillRegistered ? nil : try row.timeIfAny("\(cause.rawValue)_until")
            proxies.away.append(.init(cause, count: count, since: since, until: until))
        }
        return proxies
    }
}
