package import Analysis
package import Documents
package import GrayRelease
package import MeshCore
package import MeshModel
internal import Postgres

/// A run of an analysis that one replica may bring forward until its lease ends, with the release that it is of.
package struct ClaimedRun: Sendable {
    package let run: AnalysisRun
    package let release: ReleaseRow
    let epoch: Int64
    let uid: String
}

/// A measurement with the metric that it is of.
package struct MeasurementRow: Sendable {
    package var template: String
    package var metric: Name
    package var measurement: JSONValue
    package var k: Int
    package var at: Timestamp

    package init(template: String, metric: Name, _ measurement: Measurement) {
        self.template = template
        self.metric = metric
        self.measurement = measurement.json
        k = measurement.k
        at = measurement.at
    }

    fileprivate init(_ row: Row) throws(PostgresError) {
        template = try row["template"]
        metric = try row.name("metric")
        measurement = try row.json("document")
        k = try row["k"]
        at = try row.time("at")
    }
}

extension MeshStore {
    /// The runs of a release, the newest first.
    ///
    /// - Parameter id: of the only one that is meant; `nil`: all, at most `limit`.
    package func analysisRuns(
        of release: ObjectKey, id: String? = nil, limit: Int = 100
    ) async throws(StoreError) -> [AnalysisRun] {
        var statement: Statement = """
            SELECT a.document FROM analysis_run a WHERE a.tenant = \(release.tenant.text) AND a.release = \(Self.uid(of: release))
            """
        if let id { statement.append(" AND a.id = \(id)") }
        statement.append(" ORDER BY a.started_at DESC, a.id LIMIT \(limit)")
        return try await rows(statement, seeing: .tenant(release.tenant)).all { row throws(PostgresError) in
            AnalysisRun(try row.json("document"))
        }.compactMap(\.self)
    }

    private static func uid(of release: ObjectKey) -> Statement {
        "(SELECT uid FROM object WHERE \(ObjectRow(release).predicate))"
    }

    /// Some runs of a release, by their identifiers.
    package func analysisRuns(
        of release: StoredObject, ids: [String]
    ) async throws(StoreError) -> [String: AnalysisRun] {
        guard !ids.isEmpty else { return [:] }
        let runs = try await rows(
            """
            SELECT document FROM analysis_run
             WHERE tenant = \(release.key.tenant.text) AND release = \(release.uid)::text::uuid AND id = ANY (\(ids)::text[])
            """, seeing: .tenant(release.key.tenant)
        ).all { row throws(PostgresError) in AnalysisRun(try row.json("document")) }
        return Dictionary(runs.compactMap { run in run.map { ($0.id, $0) } }, uniquingKeysWith: { first, _ in first })
    }

    /// The measurements of a run, oldest first.
    ///
    /// - Parameter after: template, metric and number of the last one of the page before.
    package func measurements(
        of run: String, of release: ObjectKey, after: (template: String, metric: String, k: Int)?, limit: Int
    ) async throws(StoreError) -> [MeasurementRow] {
        var statement: Statement = """
            SELECT m.template, m.metric, m.k, m.at, m.document
              FROM analysis_measurement m
             WHERE m.tenant = \(release.tenant.text) AND m.release = \(Self.uid(of: release)) AND m.run = \(run)
            """
        if let after {
            statement.append(
                " AND (m.template, m.metric, m.k) > (\(after.template), \(after.metric), \(Int64(after.k)))")
        }
        statement.append(" ORDER BY m.template, m.metric, m.k LIMIT \(limit)")
        return try await rows(statement, seeing: .tenant(release.tenant)).all(MeasurementRow.init)
    }

    // MARK: Measuring

    /// Takes runs of all tenants of which a window can be measured, the longest waiting first.
    package func claimRuns(limit: Int, lease: Duration) async throws(StoreError) -> [ClaimedRun] {
        let seconds = Double(lease.microseconds) / 1e6
        return try await rows(
            """
            WITH due AS (
                SELECT tenant, release, id FROM analysis_run
                 WHERE next_due_at <= now() AND (lease_until IS NULL OR lease_until < now())
                 ORDER BY next_due_at LIMIT \(limit) FOR UPDATE SKIP LOCKED
            ), a AS (
                UPDATE analysis_run a
                   SET lease_epoch = a.lease_epoch + 1, lease_until = now() + make_interval(secs => \(seconds))
                  FROM due WHERE (a.tenant, a.release, a.id) = (due.tenant, due.release, due.id)
                RETURNING a.*)
            SELECT \(ReleaseRow.columns), a.document, a.lease_epoch AS epoch
              FROM a JOIN object o ON o.tenant = a.tenant AND o.uid = a.release
              JOIN release r ON \(ReleaseRow.join)
            """, seeing: .all
        ).all { row throws(PostgresError) -> ClaimedRun? in
            guard let run = AnalysisRun(try row.json("document")) else { return nil }
            let release = try ReleaseRow.decode(row)
            return ClaimedRun(run: run, release: release, epoch: try row["epoch"], uid: release.object.uid)
        }.compactMap(\.self)
    }

    /// Writes what a claimed run has come to, and ends the claim.
    ///
    /// The release is locked before the run, as everybody does who writes both (``StoreTransaction/commit(_:of:copying:leaseEpoch:actor:isLast:)``).
    ///
    /// - Parameters:
    ///   - measurements: those that were taken.
    ///   - wakes: whether the release goes by it, and is due.
    /// - Returns: `false` if another replica has claimed it meanwhile; then nothing was written.
    package func commit(
        _ run: AnalysisRun, of claim: ClaimedRun, _ measurements: [MeasurementRow], nextDue: Timestamp?, wakes: Bool
    ) async throws(StoreError) -> Bool {
        let tenant = claim.release.object.key.tenant.text
        let key = claim.release.object.key
        let lock: [Statement] = wakes ? ["SELECT FROM release r WHERE \(ReleaseRow.condition(key)) FOR NO KEY UPDATE"] : []
        return try await !rows(
            """
            WITH kept AS (
                UPDATE analysis_run SET document = \(try run.json.stored), next_due_at = \(nextDue?.stored), lease_until = NULL
                 WHERE tenant = \(tenant) AND release = \(claim.uid)::text::uuid AND id = \(run.id)
                   AND lease_epoch = \(claim.epoch)
                RETURNING tenant, release, id),
            taken AS (
                INSERT INTO analysis_measurement (tenant, release, run, template, metric, k, at, document)
                SELECT kept.tenant, kept.release, kept.id, m.template, m.metric, m.k, m.at, m.document
                  FROM kept, unnest(
                    \(measurements.map(\.template))::text[], \(measurements.map(\.metric.text))::text[],
                    \(measurements.map(\.k))::bigint[], \(measurements.map(\.at.stored))::timestamptz[],
                    \(try measurements.stored)::jsonb[]) AS m (template, metric, k, at, document)
                ON CONFLICT DO NOTHING),
            woken AS (
                -- Later than when it was claimed for, by which a decision in flight knows that it does not know everything.
                UPDATE release r SET next_wakeup_at = now()
                 WHERE \(wakes) AND r.active AND \(ReleaseRow.condition(key)) AND EXISTS (SELECT FROM kept))
            SELECT id FROM kept
            """, seeing: .all, after: lock
        ).isEmpty
    }

    /// How long until some run can be measured, at most `limit`.
    package func timeUntilRunDue(atMost limit: Duration) async throws(StoreError) -> Duration {
        let seconds = try await rows(
            """
            SELECT extract(epoch FROM min(greatest(next_due_at, coalesce(lease_until, next_due_at))) - now())::float8 AS s
              FROM analysis_run WHERE next_due_at IS NOT NULL
            """, seeing: .all
        ).single { row throws(PostgresError) -> Double? in try row["s"] }
        guard let seconds else { return limit }
        return max(.zero, min(limit, .seconds(seconds)))
    }

    /// Deletes measurements that were successful and are older than they are kept.
    package func forgetMeasurements(olderThan age: Duration) async throws(StoreError) {
        _ = try await rows(
            """
            DELETE FROM analysis_measurement
             WHERE document ->> 'phase' = 'Successful' AND at < now() - make_interval(secs => \(Double(age.components.seconds)))
            """, seeing: .all)
    }
}

extension [MeasurementRow] {
    fileprivate var stored: [JSONText] {
        get throws(StoreError) {
            var texts: [JSONText] = []
            for row in self { texts.append(try row.measurement.withoutNull.stored) }
            return texts
        }
    }
}

extension StoreTransaction {
    /// Replaces the templates that a release has copied.
    package func copy(_ plan: AnalysisPlan, for release: ObjectKey) async throws {
        try await pipeline([
            "UPDATE release r SET analysis = \(try plan.json.stored) WHERE \(ReleaseRow.condition(release))"
        ])
    }

    /// The statements for changes of a release's runs.
    ///
    /// - Parameter plan: of what they are made.
    func writes(_ changes: [AnalysisChange], of release: StoredObject, _ plan: AnalysisPlan, at now: Timestamp) throws
        -> [Statement]
    {
        try changes.map { change in
            switch change {
            case .begin(let id, let kind, let step):
                let run = AnalysisRun(
                    id: id, kind, step: step, attempt: ReleaseStatus(release.status).attempt, startedAt: now,
                    templates: plan.templates(of: kind, step: step))
                return """
                    INSERT INTO analysis_run (tenant, release, id, mesh, namespace, name, started_at, document, next_due_at)
                    VALUES (\(tenant.text), \(release.uid)::text::uuid, \(id), \(release.key.mesh?.text ?? ""),
                            \(release.key.namespace?.text ?? ""), \(release.key.name.text), \(now.stored),
                            \(try run.json.stored), now())
                    ON CONFLICT DO NOTHING
                    """
            case .cancel(let id):
                // Whoever has claimed it has lost it.
                return """
                    UPDATE analysis_run
                       SET lease_epoch = lease_epoch + 1, lease_until = NULL, next_due_at = NULL,
                           document = document || jsonb_build_object('phase', \(AnalysisPhase.canceled.rawValue),
                                                                     'completedAt', \(now.text))
                     WHERE tenant = \(tenant.text) AND release = \(release.uid)::text::uuid AND id = \(id)
                       AND document ->> 'completedAt' IS NULL
                    """
            }
        }
    }

    /// The statement that has the runs that a release goes by looked at, as its traffic is another. Whoever has claimed one measures
    /// what was cut, and has lost it.
    func waking(_ ids: [String], of release: StoredObject) -> Statement {
        """
        UPDATE analysis_run SET next_due_at = now(), lease_epoch = lease_epoch + 1, lease_until = NULL
         WHERE tenant = \(tenant.text) AND release = \(release.uid)::text::uuid AND id = ANY (\(ids)::text[])
           AND document ->> 'completedAt' IS NULL
        """
    }
}
