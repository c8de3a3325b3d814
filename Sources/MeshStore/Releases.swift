package import Documents
package import GrayRelease
package import MeshCore
package import MeshModel
internal import Postgres

/// A release with what the engine needs beside its document.
package struct ReleaseRow: Hashable, Sendable {
    package var object: StoredObject
    /// Grows with every write; a commit compares it.
    package var rowVersion: Int64
    /// Grows with every claim.
    package var leaseEpoch: Int64
    package var nextWakeupAt: Timestamp?
    package var lastDrivenAt: Timestamp?
    /// The templates that it has copied (``AnalysisPlan``).
    package var analysisPlan: AnalysisPlan

    package init(
        object: StoredObject, rowVersion: Int64, leaseEpoch: Int64, nextWakeupAt: Timestamp?, lastDrivenAt: Timestamp?,
        analysisPlan: AnalysisPlan
    ) {
        self.object = object
        self.rowVersion = rowVersion
        self.leaseEpoch = leaseEpoch
        self.nextWakeupAt = nextWakeupAt
        self.lastDrivenAt = lastDrivenAt
        self.analysisPlan = analysisPlan
    }

    /// The row of a release that this transaction has created.
    package init(created object: StoredObject) {
        self.init(
            object: object, rowVersion: 1, leaseEpoch: 0, nextWakeupAt: nil, lastDrivenAt: nil,
            analysisPlan: AnalysisPlan())
    }
}

/// Something that happened to a release, as it was recorded.
package struct ReleaseEventRow: Hashable, Sendable {
    /// Grows from event to event; not without gaps.
    package var sequence: Int64
    package var dedupeKey: String
    package var type: String
    package var actor: String
    package var payload: JSONValue
    package var at: Timestamp
}

extension ReleaseRow {
    static let columns: Statement = """
        o.tenant, o.kind, o.mesh, o.namespace, o.service, o.name, o.uid::text AS uid, o.generation, o.revision, o.labels, \
        o.annotations, o.spec, o.status, o.created_at, o.updated_at, \
        r.row_version, r.lease_epoch, r.next_wakeup_at, r.last_driven_at, coalesce(r.analysis, '{}') AS analysis
        """

    /// Joins a release's two rows.
    static let join: Statement = """
        o.tenant = r.tenant AND o.kind = 'Release' AND o.mesh = r.mesh AND o.namespace = r.namespace \
        AND o.service = '' AND o.name = r.name
        """

    static func decode(_ row: Row) throws(PostgresError) -> ReleaseRow {
        ReleaseRow(
            object: try ObjectRow.decode(row), rowVersion: try row["row_version"], leaseEpoch: try row["lease_epoch"],
            nextWakeupAt: try row.timeIfAny("next_wakeup_at"), lastDrivenAt: try row.timeIfAny("last_driven_at"),
            analysisPlan: AnalysisPlan(try row.json("analysis")))
    }

    /// `true` for the row of `release` with this key.
    static func condition(_ key: ObjectKey) -> Statement {
        let row = ObjectRow(key)
        return """
            r.tenant = \(row.tenant) AND r.mesh = \(row.mesh) AND r.namespace = \(row.namespace) AND r.name = \(row.name)
            """
    }
}

extension MeshStore {
    /// The releases of a service that are active: one at most, but for those that an older version has let start.
    package func activeReleases(of service: ObjectKey) async throws(StoreError) -> [ObjectKey] {
        try await rows(ReleaseRow.active(of: service), seeing: .tenant(service.tenant)).all(ObjectRow.decode).map(\.key)
    }
}

extension ReleaseRow {
    fileprivate static func active(of service: ObjectKey) -> Statement {
        let row = ObjectRow(service)
        return """
            SELECT \(columns) FROM release r JOIN object o ON \(join)
             WHERE r.tenant = \(row.tenant) AND r.mesh = \(row.mesh) AND r.namespace = \(row.namespace)
               AND r.service = \(row.name) AND r.active
             ORDER BY r.name
            """
    }
}

extension MeshStore {
    /// A release; `nil` if there is none of this tenant.
    package func release(_ key: ObjectKey) async throws(StoreError) -> ReleaseRow? {
        try await rows(
            """
            SELECT \(ReleaseRow.columns) FROM release r JOIN object o ON \(ReleaseRow.join)
             WHERE \(ReleaseRow.condition(key))
            """, seeing: .tenant(key.tenant)
        ).first(ReleaseRow.decode)
    }

    /// The events of a release, oldest first, behind the event with the sequence number `after`.
    package func releaseEvents(
        _ key: ObjectKey, after: Int64, limit: Int
    ) async throws(StoreError) -> [ReleaseEventRow] {
        try await rows(
            """
            SELECT e.sequence, e.dedupe_key, e.type, e.actor, e.payload, e.at
              FROM release_event e
              JOIN object o ON o.tenant = e.tenant AND o.uid = e.release
             WHERE o.tenant = \(key.tenant.text) AND o.kind = 'Release' AND o.mesh = \(key.mesh?.text ?? "")
               AND o.namespace = \(key.namespace?.text ?? "") AND o.service = '' AND o.name = \(key.name.text)
               AND e.sequence > \(after)
             ORDER BY e.sequence LIMIT \(limit)
            """, seeing: .tenant(key.tenant)
        ).all { row throws(PostgresError) in
            ReleaseEventRow(
                sequence: try row["sequence"], dedupeKey: try row["dedupe_key"], type: try row["type"],
                actor: try row["actor"], payload: try row.json("payload"), at: try row.time("at"))
        }
    }

    // MARK: The engine's queue

    /// Takes releases of all tenants whose time has come and whose lease is free or over, the longest waiting first: raises
    /// each one's epoch and leases it.
    package func claimReleases(
        by replica: String, limit: Int, lease: Duration
    ) async throws(StoreError) -> [ReleaseRow] {
        try await rows(
            """
            WITH due AS (
                SELECT tenant, mesh, namespace, name FROM release
                 WHERE next_wakeup_at <= now() AND (lease_until IS NULL OR lease_until < now())
                 ORDER BY next_wakeup_at LIMIT \(limit) FOR UPDATE SKIP LOCKED
            ), r AS (
                UPDATE release r
                   SET lease_owner = \(replica), lease_epoch = r.lease_epoch + 1,
                       lease_until = now() + make_interval(secs => \(Double(lease.microseconds) / 1e6))
                  FROM due
                 WHERE (r.tenant, r.mesh, r.namespace, r.name) = (due.tenant, due.mesh, due.namespace, due.name)
                RETURNING r.*)
            SELECT \(ReleaseRow.columns) FROM r JOIN object o ON \(ReleaseRow.join) ORDER BY r.next_wakeup_at
            """, seeing: .all
        ).all(ReleaseRow.decode)
    }

    /// Ends a lease without a decision; does nothing if the lease was lost.
    package func giveBack(_ row: ReleaseRow, delay: Duration) async throws(StoreError) {
        _ = try await rows(
            """
            UPDATE release r
               SET lease_owner = NULL, lease_until = NULL,
                   next_wakeup_at = greatest(r.next_wakeup_at, now() + make_interval(secs => \(Double(delay.microseconds) / 1e6)))
             WHERE \(ReleaseRow.condition(row.object.key)) AND r.lease_epoch = \(row.leaseEpoch)
               AND r.row_version = \(row.rowVersion)
            """, seeing: .all)
    }

    /// How long until some release is due, at most `limit`. A release under lease is due when the lease ends.
    package func timeUntilReleaseDue(atMost limit: Duration) async throws(StoreError) -> Duration {
        let seconds = try await rows(
            """
            SELECT extract(epoch FROM min(greatest(next_wakeup_at, coalesce(lease_until, next_wakeup_at))) - now())::float8 AS s
              FROM release WHERE next_wakeup_at IS NOT NULL
            """, seeing: .all
        ).single { row throws(PostgresError) -> Double? in try row["s"] }
        guard let seconds else { return limit }
        return max(.zero, min(limit, .seconds(seconds)))
    }
}

extension StoreTransaction {
    /// Commits a decision about a release, if nobody wrote it since `row` was read and, for a driver, if the lease is still
    /// its own: status, events, the service's status and the next wake-up time, all in this transaction.
    ///
    /// Two round trips: the first reads and locks what is this release's own, the second writes everything. What others wait
    /// for too, the mesh, is locked in the second one only, and if `isLast` no longer than the server works on it.
    ///
    /// - Parameters:
    ///   - plan: the templates that the release copies with it; `nil`: it keeps those that it has.
    ///   - leaseEpoch: of the driver's lease; `nil` for people's verbs, which need none.
    ///   - isLast: nothing follows in this transaction and nothing of it will be taken back.
    /// - Returns: the release as written; `nil` if the comparison failed, and then nothing may be committed.
    /// - Throws: ``StoreError/activeRelease(_:)`` if another release of the same service is active.
    package func commit(
        _ decision: ReleaseDecision, of row: ReleaseRow, copying plan: AnalysisPlan? = nil, leaseEpoch: Int64?,
        actor: String, isLast: Bool = false
    ) async throws -> StoredObject? {
        let key = row.object.key
        let isActive = decision.status.phase.isActive
        // One that gives way is no longer the one of its service, for which another one waits.
        let givesWay = decision.status.ending == .superseded
        // Who has woken it since `row` was read knows something that the decision does not.
        let wasWoken: Statement = "\(isActive) AND r.next_wakeup_at IS DISTINCT FROM \(row.nextWakeupAt?.stored)"
        let serviceKey = decision.serviceChanges.isEmpty ? nil : Self.serviceKey(of: row.object)
        guard let locked = try await lock(row, leaseEpoch, decision, serviceKey) else { return nil }
        let update: Statement = """
            UPDATE release r
               SET row_version = r.row_version + 1, active = \(isActive), beside = (r.beside OR \(givesWay)) AND \(isActive),
                   next_wakeup_at = CASE WHEN \(wasWoken) THEN now() ELSE \(decision.nextWakeupAt?.stored) END,
                   last_driven_at = now(),
                   lease_owner = NULL, lease_until = NULL
             WHERE \(ReleaseRow.condition(key))
            """
        let isQuiet =
            decision.events.isEmpty && decision.serviceChanges.isEmpty && decision.analysisChanges.isEmpty
            && !decision.changesRoutes
        let isUnchanged = isQuiet && decision.status.json == row.object.status
        var writes = isUnchanged ? [] : try writes(of: decision, row, locked.service, actor: actor)
        if !isUnchanged { writes += try analysisWrites(of: decision, row, plan) }
        let document = isUnchanged ? [] : try statusWrite(key, status(of: decision))
        do {
            let statements = [update] + writes + document
            let results = isLast ? try await commit(running: statements) : try await pipeline(statements)
            if isUnchanged { return row.object }
            guard let object = try results[1 + writes.count].first(ObjectRow.decode) else { throw StoreError.notFound }
            return object
        } catch let error as PostgresError where error.constraint == "release_one_active" {
            // Of two releases of one service that start at the same moment the slower one finds it taken: it has lost the
            // comparison too, and the next try says to whom.
            return nil
        }
    }

    /// Locks the release, and the service if that changes too: the objects first, as everybody does.
    ///
    /// - Returns: `nil` if somebody wrote the release or took the lease.
    private func lock(
        _ row: ReleaseRow, _ leaseEpoch: Int64?, _ decision: ReleaseDecision, _ service: ObjectKey?
    ) async throws -> Locked? {
        let key = row.object.key
        var release: Statement = """
            SELECT 1 FROM release r WHERE \(ReleaseRow.condition(key)) AND r.row_version = \(row.rowVersion)
            """
        if let leaseEpoch { release.append(" AND r.lease_epoch = \(leaseEpoch)") }
        release.append(" FOR UPDATE")
        var statements = [Self.otherActive(key), "SELECT 1 FROM object WHERE \(ObjectRow(key).predicate) FOR UPDATE"]
        if let service {
            let condition = ObjectRow(service).predicate
            // Only its status changes: nobody who wants it to be there has to wait, or is waited for.
            statements.append("SELECT \(ObjectRow.columns) FROM object WHERE \(condition) FOR NO KEY UPDATE")
        }
        let results = try await pipeline(statements + [release])
        if decision.status.phase.isActive,
            let name = try results[0].first({ row throws(PostgresError) in try row.name("name") })
        {
            throw StoreError.activeRelease(name)
        }
        guard results.last?.isEmpty == false else { return nil }
        return Locked(service: service == nil ? nil : try results[2].first(ObjectRow.decode))
    }

    /// The statements for what a decision means for what is measured.
    private func analysisWrites(
        of decision: ReleaseDecision, _ row: ReleaseRow, _ plan: AnalysisPlan?
    ) throws -> [Statement] {
        var statements: [Statement] = []
        if let plan {
            statements.append(
                "UPDATE release r SET analysis = \(try plan.json.stored) WHERE \(ReleaseRow.condition(row.object.key))")
        }
        var release = row.object
        release.status = decision.status.json
        statements += try self.writes(
            decision.analysisChanges, of: release, plan ?? row.analysisPlan, at: decision.decidedAt)
        let ids = decision.status.analysis.ids
        let isOther = decision.status.measuredTraffic != ReleaseStatus(row.object.status).measuredTraffic
        if isOther && !ids.isEmpty { statements.append(waking(ids, of: row.object)) }
        return statements
    }

    private struct Locked {
        var service: StoredObject?
    }

    private func status(of decision: ReleaseDecision) -> JSONValue {
        var status = decision.status
        if decision.changesRoutes { status.stamp(placeholder) }
        return status.json
    }

    /// The statements for what a decision changes beside the release's own two rows.
    private func writes(
        of decision: ReleaseDecision, _ row: ReleaseRow, _ service: StoredObject?, actor: String
    ) throws -> [Statement] {
        var statements = raising()
        if let service {
            var status = ServiceStatus(service.status)
            for change in decision.serviceChanges { status.apply(change, by: row.object.key.name) }
            statements += try statusWrite(service.key, status.json)
        }
        return try statements
            + decision.events.map { event in
                """
                INSERT INTO release_event (tenant, release, dedupe_key, type, actor, payload, at)
                VALUES (\(tenant.text), \(row.object.uid)::text::uuid, \(event.dedupeKey), \(event.kind.rawValue), \(actor),
                        \(try event.json.stored), \(event.at.stored))
                """
            } + outboxWrites(decision.events, of: row.object, by: actor)
    }

    /// The service that a release is about.
    private static func serviceKey(of release: StoredObject) -> ObjectKey? {
        guard let name = release.spec["service"]?.stringValue.flatMap(Name.init), let mesh = release.key.meshKey,
            let namespace = release.key.namespace
        else { return nil }
        return .namespaced(.service, NamespacedName(namespace: namespace, name: name), in: mesh)
    }

    /// Another release of the same service that is active, unless this one is.
    private static func otherActive(_ key: ObjectKey) -> Statement {
        """
        SELECT other.name FROM release r
          JOIN release other ON other.tenant = r.tenant AND other.mesh = r.mesh AND other.namespace = r.namespace
                            AND other.service = r.service AND other.name <> r.name
         WHERE \(ReleaseRow.condition(key)) AND other.active AND NOT r.active
           -- One that gives way is waited for, but does not stand in the way.
           AND NOT EXISTS (
                SELECT FROM object o WHERE o.tenant = other.tenant AND o.kind = 'Release' AND o.mesh = other.mesh
                   AND o.namespace = other.namespace AND o.service = '' AND o.name = other.name
                   AND o.status ->> 'ending' = 'Superseded') LIMIT 1
        """
    }

    /// The active releases of a service.
    package func activeReleases(of service: ObjectKey) async throws -> [StoredObject] {
        try await session.query(ReleaseRow.active(of: service)).all(ObjectRow.decode)
    }
}
