internal import GrayRelease
package import MeshCore
package import MeshModel
internal import Documents
internal import Postgres

/// Whether a freeze window is in force, and when.
package struct FreezeState: Hashable, Sendable {
    package var isActive: Bool
    package var from: Timestamp
    /// `nil`: when it is deleted.
    package var until: Timestamp?

    fileprivate init(_ row: Row) throws(PostgresError) {
        isActive = try row["active"]
        from = try row.time("starts_at")
        until = try row.timeIfAny("ends_at")
    }
}

/// A window whose next times are to be stored, by one replica until its lease ends.
package struct ClaimedFreezeWindow: Sendable {
    package let key: ObjectKey
    package let spec: FreezeWindowSpec
    /// By the wall clock of the window's time zone.
    package let now: CronExpression.WallMinute
    let epoch: Int64
}

extension FreezeState {
    /// The order of the occurrences `f` of a window that are not over: first the one in force that began last, else the next one.
    fileprivate static let order: Statement = """
        f.starts_at <= now() DESC, abs(extract(epoch FROM now() - f.starts_at))
        """

    static let columns: Statement = "f.starts_at, f.ends_at, f.starts_at <= now() AS active"
    static let isNotOver: Statement = "(f.ends_at IS NULL OR f.ends_at > now())"
}

extension MeshStore {
    /// How soon somebody asks again about a window whose times are not known.
    private static let ignorance = 60.0

    /// The windows that are in force for a service, as ``Freeze/init(_:)`` reads them: those without an end first, then those that
    /// last longest.
    static func freezes(of service: NamespacedName, in mesh: MeshKey) -> Statement {
        let (tenant, name) = (mesh.tenant.text, mesh.mesh.text)
        let (namespace, service) = (service.namespace.text, service.name.text)
        // In a place of its own, so that the two indexes are asked with a value.
        return """
            WITH root AS MATERIALIZED (
                SELECT coalesce((SELECT spec ->> 'rootNamespace' FROM object
                                  WHERE tenant = \(tenant) AND kind = 'Mesh' AND mesh = '' AND namespace = '' AND service = ''
                                    AND name = \(name)), \(Name.defaultRootNamespace.text)) AS name),
            begun AS (
                SELECT namespace, name, ends_at, blocks, services FROM freeze_occurrence
                 WHERE tenant = \(tenant) AND mesh = \(name)
                   AND namespace = ANY (ARRAY[\(namespace)::text, (SELECT name FROM root)])
                   AND starts_at <= now() AND (ends_at IS NULL OR ends_at > now())
                UNION ALL
                SELECT namespace, name, now() + make_interval(secs => \(Self.ignorance)), blocks, services FROM freeze_schedule
                 WHERE tenant = \(tenant) AND mesh = \(name)
                   AND namespace = ANY (ARRAY[\(namespace)::text, (SELECT name FROM root)]) AND known_until <= now())
            SELECT namespace, name, blocks, CASE WHEN bool_or(ends_at IS NULL) THEN NULL ELSE max(ends_at) END AS until
              FROM begun
             WHERE services = '{}' OR (namespace = \(namespace) AND \(service) = ANY (services))
             GROUP BY namespace, name, blocks ORDER BY until DESC NULLS FIRST, namespace, name
            """
    }

    /// The state of windows of one tenant, by key; those that are over for good have none.
    package func freezeStates(of keys: [ObjectKey]) async throws(StoreError) -> [ObjectKey: FreezeState] {
        guard let tenant = keys.first?.tenant else { return [:] }
        let found = try await rows(
            """
            SELECT DISTINCT ON (f.mesh, f.namespace, f.name) f.tenant, \(Kind.freezeWindow.name) AS kind, f.mesh, f.namespace,
                   '' AS service, f.name, \(FreezeState.columns)
              FROM freeze_occurrence f
             WHERE f.tenant = \(tenant.text) AND \(FreezeState.isNotOver) AND (f.mesh, f.namespace, f.name) IN (
                   SELECT * FROM unnest(\(keys.map { $0.mesh?.text ?? "" })::text[],
                                        \(keys.map { $0.namespace?.text ?? "" })::text[], \(keys.map(\.name.text))::text[]))
             ORDER BY f.mesh, f.namespace, f.name, \(FreezeState.order)
            """, seeing: .tenant(tenant)
        ).all { row throws(PostgresError) in (try ObjectRow.key(row), try FreezeState(row)) }
        return Dictionary(found) { first, _ in first }
    }

    // MARK: Storing times ahead

    /// Takes windows of all tenants whose next times are to be stored, and forgets the times that are over.
    package func claimFreezeWindows(limit: Int, lease: Duration) async throws(StoreError) -> [ClaimedFreezeWindow] {
        try await rows(
            """
            WITH gone AS (DELETE FROM freeze_occurrence WHERE ends_at <= now()),
            due AS (
                SELECT tenant, mesh, namespace, name FROM freeze_schedule
                 WHERE extend_at <= now() AND (lease_until IS NULL OR lease_until < now())
                 ORDER BY extend_at LIMIT \(limit) FOR UPDATE SKIP LOCKED),
            s AS (
                UPDATE freeze_schedule s
                   SET epoch = s.epoch + 1, lease_until = now() + make_interval(secs => \(Double(lease.microseconds) / 1e6))
                  FROM due WHERE (s.tenant, s.mesh, s.namespace, s.name) = (due.tenant, due.mesh, due.namespace, due.name)
                RETURNING s.*)
            SELECT \(ObjectRow.columns), epoch, \(Self.wallMinute("spec ->> 'timeZone'")) AS wall
              FROM (SELECT o.*, s.epoch
                      FROM s JOIN object o ON o.tenant = s.tenant AND o.kind = \(Kind.freezeWindow.name) AND o.mesh = s.mesh
                                          AND o.namespace = s.namespace AND o.service = '' AND o.name = s.name) o
            """, seeing: .all
        ).all { row throws(PostgresError) -> ClaimedFreezeWindow? in
            let object = try ObjectRow.decode(row)
            guard let spec = FreezeWindowSpec.read(object.spec, at: .root, log: ViolationLog(ofStored: true)) else {
                return nil
            }
            return ClaimedFreezeWindow(key: object.key, spec: spec, now: try row["wall"], epoch: try row["epoch"])
        }.compactMap(\.self)
    }

    /// The wall clock of a time zone, as ``CronExpression/WallMinute``.
    fileprivate static func wallMinute(_ zone: Statement) -> Statement {
        "floor(extract(epoch FROM (now() AT TIME ZONE (\(zone)))) / 60)::bigint"
    }

    /// Stores the next times of a window, and ends the claim. Those that were known before stay as they were computed.
    package func extend(_ window: ClaimedFreezeWindow, with times: FreezeTimes) async throws(StoreError) {
        guard let duration = window.spec.duration, let zone = window.spec.timeZone else { return }
        let row = ObjectRow(window.key)
        _ = try await rows(
            """
            WITH old AS (
                SELECT * FROM freeze_schedule
                 WHERE tenant = \(row.tenant) AND mesh = \(row.mesh) AND namespace = \(row.namespace) AND name = \(row.name)
                   AND epoch = \(window.epoch) FOR UPDATE),
            kept AS (
                UPDATE freeze_schedule s
                   SET known_until = greatest(s.known_until, first_instant(\(Self.wall(times.knownUntil)), \(zone))),
                       extend_at = \(Self.extensionTime(times, zone)), lease_until = NULL
                  FROM old WHERE (s.tenant, s.mesh, s.namespace, s.name) = (old.tenant, old.mesh, old.namespace, old.name))
            INSERT INTO freeze_occurrence (tenant, mesh, namespace, name, starts_at, ends_at, blocks, services)
            SELECT old.tenant, old.mesh, old.namespace, old.name, t.starts_at, t.ends_at, old.blocks, old.services
              FROM old, \(Self.occurrences(times, duration, zone)) t
             WHERE t.starts_at >= old.known_until AND t.ends_at > now()
            ON CONFLICT DO NOTHING
            """, seeing: .all)
    }

    fileprivate static func wall(_ minute: CronExpression.WallMinute) -> Statement {
        "(timestamp '1970-01-01' + \(minute)::bigint * interval '1 min')"
    }

    /// When to ask for more times: not at once, also where the clock was just put back.
    fileprivate static func extensionTime(_ times: FreezeTimes, _ zone: String) -> Statement {
        "greatest(first_instant(\(wall(times.extendAt)), \(zone)), now() + interval '1 min')"
    }

    /// The instants of times: rows `starts_at`, `ends_at`.
    fileprivate static func occurrences(_ times: FreezeTimes, _ duration: Duration, _ zone: String) -> Statement {
        """
        (SELECT DISTINCT i.starts_at, i.starts_at + make_interval(secs => \(Double(duration.microseconds) / 1e6)) AS ends_at
           FROM unnest(\(times.starts)::bigint[]) AS w (minute),
                first_instant(timestamp '1970-01-01' + w.minute * interval '1 min', \(zone)) AS i (starts_at))
        """
    }
}

extension Freeze {
    init(_ row: Row) throws(PostgresError) {
        let blocks: [String] = try row["blocks"]
        self.init(
            name: NamespacedName(namespace: try row.name("namespace"), name: try row.name("name")),
            until: try row.timeIfAny("until"),
            // What only a newer version of this server knows is nothing that this one does.
            blocks: Set(blocks.compactMap(Blocked.init)))
    }
}

extension StoreTransaction {
    /// The wall clock of a time zone; `nil` if there is no time zone of this name.
    package func wallClock(in zone: String) async throws -> CronExpression.WallMinute? {
        try await session.query(
            """
            SELECT \(MeshStore.wallMinute("z.name")) AS wall FROM pg_timezone_names z
             WHERE z.name = \(zone) AND z.name !~ '^(posix|right)/' AND z.name NOT IN ('localtime', 'posixrules', 'Factory')
             LIMIT 1
            """
        ).first { row throws(PostgresError) in try row["wall"] }
    }

    /// Computes the times of a window that is about to be written, in place of those of before.
    ///
    /// - Parameter times: of one with ``FreezeWindowSpec/cron``.
    /// - Returns: when it is in force; `nil`: it is over.
    package func putFreezeTimes(
        of key: ObjectKey, _ spec: FreezeWindowSpec, _ times: FreezeTimes?, madeAt: Timestamp?
    ) async throws -> FreezeState? {
        let row = ObjectRow(key)
        let window: Statement = """
            f.tenant = \(row.tenant) AND f.mesh = \(row.mesh) AND f.namespace = \(row.namespace) AND f.name = \(row.name)
            """
        let (blocks, services) = (spec.blocks.map(\.rawValue), spec.services.map(\.text))
        let made: Statement = "\(row.tenant), \(row.mesh), \(row.namespace), \(row.name)"
        var statements: [Statement] = ["DELETE FROM freeze_occurrence f WHERE \(window)"]
        if let times, let duration = spec.duration, let zone = spec.timeZone {
            statements += [
                """
                INSERT INTO freeze_schedule AS s (tenant, mesh, namespace, name, known_until, extend_at, blocks, services)
                VALUES (\(made), first_instant(\(MeshStore.wall(times.knownUntil)), \(zone)),
                        \(MeshStore.extensionTime(times, zone)), \(blocks)::text[], \(services)::text[])
                ON CONFLICT (tenant, mesh, namespace, name) DO UPDATE
                   SET known_until = excluded.known_until, extend_at = excluded.extend_at, epoch = s.epoch + 1,
                       lease_until = NULL, blocks = excluded.blocks, services = excluded.services
                """,
                """
                INSERT INTO freeze_occurrence (tenant, mesh, namespace, name, starts_at, ends_at, blocks, services)
                SELECT \(made), t.starts_at, t.ends_at, \(blocks)::text[], \(services)::text[]
                  FROM \(MeshStore.occurrences(times, duration, zone)) t WHERE t.ends_at > now()
                """,
            ]
        } else {
            let start = spec.start ?? madeAt
            statements += [
                "DELETE FROM freeze_schedule f WHERE \(window)",
                """
                INSERT INTO freeze_occurrence (tenant, mesh, namespace, name, starts_at, ends_at, blocks, services)
                SELECT \(made), t.starts_at, t.ends_at, \(blocks)::text[], \(services)::text[]
                  FROM (SELECT coalesce(\(start?.stored)::timestamptz, now()) AS starts_at,
                               \(spec.end?.stored)::timestamptz AS ends_at) t
                 WHERE t.ends_at IS NULL OR (t.ends_at > now() AND t.ends_at > t.starts_at)
                """,
            ]
        }
        statements.append(
            """
            SELECT \(FreezeState.columns) FROM freeze_occurrence f WHERE \(window) AND \(FreezeState.isNotOver)
             ORDER BY \(FreezeState.order) LIMIT 1
            """)
        return try await pipeline(statements).last?.first(FreezeState.init)
    }
}

extension StoreTransaction {
    /// Deletes the times of a window.
    static func forgetFreezeTimes(of key: ObjectKey) -> [Statement] {
        let row = ObjectRow(key)
        let window: Statement = """
            tenant = \(row.tenant) AND mesh = \(row.mesh) AND namespace = \(row.namespace) AND name = \(row.name)
            """
        return [
            "DELETE FROM freeze_occurrence WHERE \(window)", "DELETE FROM freeze_schedule WHERE \(window)",
        ]
    }

    /// The statement that has the releases looked at that a freeze window is about, or was.
    ///
    /// - Parameter namespace: of the window; `nil`: all of the mesh.
    static func wakeReleases(in mesh: (tenant: String, name: String), namespace: String?) -> Statement {
        """
        UPDATE release r SET next_wakeup_at = now()
         WHERE r.tenant = \(mesh.tenant) AND r.mesh = \(mesh.name) AND r.active AND r.next_wakeup_at > now()
           AND (\(namespace)::text IS NULL OR r.namespace = \(namespace)::text OR \(namespace)::text = coalesce(
                (SELECT spec ->> 'rootNamespace' FROM object
                  WHERE tenant = \(mesh.tenant) AND kind = 'Mesh' AND mesh = '' AND namespace = '' AND service = ''
                    AND name = \(mesh.name)), \(Name.defaultRootNamespace.text)))
        """
    }
}
