package import MeshCore
internal import MeshModel
internal import Postgres

/// A mesh as what is counted about it knows it: a later one of its name is another.
package struct TrafficMesh: Hashable, Sendable {
    package var tenant: Name
    /// The mesh's own `uid`.
    package var uid: String

    package init(tenant: Name, uid: String) {
        self.tenant = tenant
        self.uid = uid
    }
}

/// A length of the slots that traffic is counted in.
package enum TrafficSpan: Int, CaseIterable, Sendable {
    case tenSeconds = 10
    case minute = 60
    case hour = 3600

    package var duration: Duration { .seconds(rawValue) }

    /// How long slots of this length are kept.
    package var retention: Duration {
        switch self {
        case .tenSeconds: .seconds(3_600)
        case .minute: .seconds(86_400)
        case .hour: .seconds(30 * 86_400)
        }
    }

    /// The slot that a time lies in.
    package func slot(of time: Timestamp) -> Int64 {
        let span = Int64(rawValue) * 1_000_000
        return (time.microseconds - (time.microseconds % span + span) % span) / span
    }

    package func start(of slot: Int64) -> Timestamp { Timestamp(microseconds: slot * Int64(rawValue) * 1_000_000) }
}

/// The count of the requests to a host in a slot, by one writer.
package struct TrafficRow: Hashable, Sendable {
    package var mesh: TrafficMesh
    package var slot: Int64
    /// The destination's name, as clusters are named after it (`Host.unambiguous`).
    package var host: String
    /// In the form that whoever counts has given them.
    package var samples: [UInt8]

    package init(mesh: TrafficMesh, slot: Int64, host: String, samples: [UInt8]) {
        self.mesh = mesh
        self.slot = slot
        self.host = host
        self.samples = samples
    }
}

/// The sidecars whose reports of a slot have come to a writer.
package struct TrafficCoverageRow: Hashable, Sendable {
    package var mesh: TrafficMesh
    package var slot: Int64
    package var writer: String
    /// Sorted, each once.
    package var reporters: [NamespacedName]
    /// Series that were counted together with others because there were too many.
    package var overflowed: Int

    package init(
        mesh: TrafficMesh, slot: Int64, writer: String, reporters: [NamespacedName], overflowed: Int = 0
    ) {
        self.mesh = mesh
        self.slot = slot
        self.writer = writer
        self.reporters = reporters
        self.overflowed = overflowed
    }
}

/// A sidecar that has reported.
package struct ReportingProxy: Hashable, Sendable {
    package var mesh: MeshKey
    package var name: NamespacedName

    package init(mesh: MeshKey, name: NamespacedName) {
        self.mesh = mesh
        self.name = name
    }
}

extension MeshStore {
    /// Writes slots of ten seconds. What is there already stays: a slot that was written never changes, so that it does no harm to
    /// write one again of which it is not known whether it was.
    ///
    /// The commit does not wait for the disk: what a crash of PostgreSQL takes of the last moment is missing like the report of a
    /// sidecar that was.
    package func recordTraffic(
        _ rows: [TrafficRow], _ coverage: [TrafficCoverageRow], by writer: String
    ) async throws(StoreError) {
        guard !rows.isEmpty || !coverage.isEmpty else { return }
        _ = try await self.rows(
            """
            WITH quick AS MATERIALIZED (SELECT set_config('synchronous_commit', 'off', true)),
            counted AS (
                INSERT INTO traffic (tenant, mesh, span, slot, host, writer, samples)
                SELECT r.tenant, r.mesh, \(TrafficSpan.tenSeconds.rawValue), r.slot, r.host, \(writer), r.samples
                  FROM quick, unnest(
                    \(rows.map(\.mesh.tenant.text))::text[], \(rows.map(\.mesh.uid))::text[]::uuid[], \(rows.map(\.slot))::bigint[],
                    \(rows.map(\.host))::text[], \(rows.map(\.samples))::bytea[]) AS r (tenant, mesh, slot, host, samples)
                ON CONFLICT DO NOTHING)
            INSERT INTO traffic_coverage (tenant, mesh, slot, writer, reporters, overflowed)
            SELECT r.tenant, r.mesh, r.slot, \(writer), string_to_array(r.reporters, ' '), r.overflowed
              FROM unnest(
                \(coverage.map(\.mesh.tenant.text))::text[], \(coverage.map(\.mesh.uid))::text[]::uuid[],
                \(coverage.map(\.slot))::bigint[],
                \(coverage.map { $0.reporters.map(\.description).joined(separator: " ") })::text[],
                \(coverage.map(\.overflowed))::bigint[])
                AS r (tenant, mesh, slot, reporters, overflowed)
            ON CONFLICT DO NOTHING
            """, seeing: .all)
    }

    /// How often the row of a sidecar says anew that it reports.
    private static let noteInterval = Duration.seconds(20)

    /// Notes that sidecars have just reported.
    ///
    /// - Parameters:
    ///   - stats: those that have sent statistics.
    ///   - loads: those that have said how many requests they sent, and nothing more.
    package func noteReporting(stats: [ReportingProxy], loads: [ReportingProxy]) async throws(StoreError) {
        let (stats, loads) = (Set(stats), Set(loads))
        let all = Array(stats.union(loads))
        guard !all.isEmpty else { return }
        let age = Double(Self.noteInterval.components.seconds)
        // A row that somebody else writes just now is noted with the next report: nobody waits, in whichever order he is there.
        _ = try await rows(
            """
            WITH due AS (
                SELECT p.tenant, p.mesh, p.namespace, p.name, r.is_stats, r.is_loads
                  FROM proxy p
                  JOIN unnest(
                    \(all.map(\.mesh.tenant.text))::text[], \(all.map(\.mesh.mesh.text))::text[],
                    \(all.map(\.name.namespace.text))::text[], \(all.map(\.name.name.text))::text[],
                    \(all.map(stats.contains))::boolean[], \(all.map(loads.contains))::boolean[])
                    AS r (tenant, mesh, namespace, name, is_stats, is_loads)
                    ON (p.tenant, p.mesh, p.namespace, p.name) = (r.tenant, r.mesh, r.namespace, r.name)
                 WHERE r.is_stats AND coalesce(p.stats_at, '-infinity') < now() - make_interval(secs => \(age))
                    OR r.is_loads AND coalesce(p.loads_at, '-infinity') < now() - make_interval(secs => \(age))
                   FOR NO KEY UPDATE OF p SKIP LOCKED)
            UPDATE proxy p
               SET stats_at = CASE WHEN due.is_stats THEN now() ELSE p.stats_at END,
                   loads_at = CASE WHEN due.is_loads THEN now() ELSE p.loads_at END
              FROM due
             WHERE (p.tenant, p.mesh, p.namespace, p.name) = (due.tenant, due.mesh, due.namespace, due.name)
            """, seeing: .all)
    }

    /// The counts of the requests to a host, in no order.
    ///
    /// - Parameter slots: of the span.
    package func traffic(
        to host: String, in mesh: TrafficMesh, _ span: TrafficSpan, _ slots: Range<Int64>
    ) async throws(StoreError) -> [TrafficRow] {
        try await rows(
            """
            SELECT slot, samples FROM traffic
             WHERE tenant = \(mesh.tenant.text) AND mesh = \(mesh.uid)::text::uuid AND host = \(host)
               AND span = \(span.rawValue) AND slot >= \(slots.lowerBound) AND slot < \(slots.upperBound)
            """, seeing: .tenant(mesh.tenant)
        ).all { row throws(PostgresError) in
            TrafficRow(mesh: mesh, slot: try row["slot"], host: host, samples: try row["samples"])
        }
    }
}

// MARK: - Longer spans

extension MeshStore {
    /// How long after its end a slot is added up: all replicas have written theirs then, unless one had no database.
    private static let settling = Duration.seconds(30)
    /// How much later it is added up again, for those that had none for as long as they keep what they counted.
    private static let secondLook = Duration.seconds(330)
    private static let rollUpLease = Duration.seconds(30)
    /// Slots that are added up at a time.
    private static let rollUpLimit: Int64 = 30

    /// The slots of a span that are to be added up now, if no other replica is at it. For a while none will be.
    ///
    /// - Returns: `nil` if another one is, or none is due.
    package func claimRollUp(to span: TrafficSpan) async throws(StoreError) -> [Int64]? {
        let seconds = Int64(span.rawValue)
        let lease = Double(Self.rollUpLease.components.seconds)
        let row = try await rows(
            """
            INSERT INTO traffic_rollup AS t (span, through, lease_until)
            VALUES (\(span.rawValue), extract(epoch FROM now())::bigint / \(seconds) - 2, now() + make_interval(secs => \(lease)))
            ON CONFLICT (span) DO UPDATE SET lease_until = excluded.lease_until WHERE t.lease_until < now()
            RETURNING through, (extract(epoch FROM now())::bigint - \(Self.settling.components.seconds)) / \(seconds) - 1 AS last
            """, seeing: .all
        ).first { row throws(PostgresError) -> (through: Int64, last: Int64) in
            (try row["through"], try row["last"])
        }
        guard let (through, last) = row, last > through else { return nil }
        let first = max(through + 1, last - Self.rollUpLimit + 1)
        let again = max(1, Self.secondLook.components.seconds / seconds)
        // Each slot's second look is as long after its first, also where several are caught up on at once. What it is made of is there
        // for much longer.
        return Array(Set(first - again...last - again).union(first...last)).sorted()
    }

    /// The rows of a finer span that make up a slot of a longer one, ordered by mesh and host.
    ///
    /// - Parameter last: behind which the next rows begin; `nil`: from the first.
    package func trafficToRollUp(
        from span: TrafficSpan, _ slots: Range<Int64>, after last: TrafficRow?, limit: Int
    ) async throws(StoreError) -> [TrafficRow] {
        try await rows(
            """
            SELECT tenant, mesh::text AS mesh, host, array_agg(samples) AS samples FROM traffic
             WHERE span = \(span.rawValue) AND slot >= \(slots.lowerBound) AND slot < \(slots.upperBound)
               AND (tenant, mesh::text, host) > (\(last?.mesh.tenant.text ?? ""), \(last?.mesh.uid ?? ""), \(last?.host ?? ""))
             GROUP BY tenant, mesh, host ORDER BY tenant, mesh::text, host LIMIT \(limit)
            """, seeing: .all
        ).all { row throws(PostgresError) in
            let mesh = TrafficMesh(tenant: try row.name("tenant"), uid: try row["mesh"])
            let host: String = try row["host"]
            let all: [[UInt8]] = try row["samples"]
            return all.map { TrafficRow(mesh: mesh, slot: slots.lowerBound, host: host, samples: $0) }
        }.flatMap { $0 }
    }

    /// Replaces slots of a longer span, of all writers together.
    package func replaceTraffic(_ rows: [TrafficRow], _ span: TrafficSpan) async throws(StoreError) {
        guard !rows.isEmpty else { return }
        _ = try await self.rows(
            """
            INSERT INTO traffic (tenant, mesh, span, slot, host, writer, samples)
            SELECT r.tenant, r.mesh, \(span.rawValue), r.slot, r.host, '', r.samples
              FROM unnest(
                \(rows.map(\.mesh.tenant.text))::text[], \(rows.map(\.mesh.uid))::text[]::uuid[], \(rows.map(\.slot))::bigint[],
                \(rows.map(\.host))::text[], \(rows.map(\.samples))::bytea[]) AS r (tenant, mesh, slot, host, samples)
             WHERE EXISTS (SELECT FROM mesh m WHERE m.tenant = r.tenant AND m.uid = r.mesh)
            ON CONFLICT (tenant, mesh, host, span, slot, writer) DO UPDATE SET samples = excluded.samples
            """, seeing: .all)
    }

    /// Says that a span has been added up through a slot, and lets others go on.
    package func finishRollUp(to span: TrafficSpan, through slot: Int64) async throws(StoreError) {
        _ = try await rows(
            "UPDATE traffic_rollup SET through = greatest(through, \(slot)), lease_until = now() WHERE span = \(span.rawValue)",
            seeing: .all)
    }

    /// Deletes what is older than it is kept.
    ///
    /// - Returns: whether there is more.
    package func forgetTraffic(atMost limit: Int) async throws(StoreError) -> Bool {
        var isMore = false
        for span in TrafficSpan.allCases {
            let oldest: Statement = """
                (extract(epoch FROM now())::bigint - \(span.retention.components.seconds)) / \(Int64(span.rawValue))
                """
            let count = try await rows(
                """
                WITH old AS (SELECT ctid FROM traffic WHERE span = \(span.rawValue) AND slot < \(oldest) LIMIT \(limit)),
                     gone AS (DELETE FROM traffic WHERE ctid = ANY (ARRAY(SELECT ctid FROM old)) RETURNING 1)
                SELECT count(*) AS count FROM gone
                """, seeing: .all
            ).single { row throws(PostgresError) -> Int in try row["count"] }
            if count == limit { isMore = true }
        }
        let retention = TrafficSpan.tenSeconds.retention.components.seconds
        _ = try await rows(
            """
            DELETE FROM traffic_coverage WHERE slot < (extract(epoch FROM now())::bigint - \(retention)) / 10
            """, seeing: .all)
        return isMore
    }
}
