package import Analysis
package import Documents
package import GrayRelease
package import MeshCore
package import MeshModel
internal import Postgres

/// A run of an analysis that one replica may bring forward until its lease ends, with the release that it is of.
package struct ClaimedRun: Sendable {
    package let run: AnalysisRun
    /// The run as it is stored.
    package let document: JSONValue
    /// Whether ``run`` is what is stored, and not in the place of something that cannot be read.
    package let isReadable: Bool
    package let release: ReleaseRow
    /// When it was claimed, by the database's clock; ``run`` and ``release`` are as of then.
    package let now: Timestamp
    let epoch: Int64
    let uid: String

    /// Whether it waits for an answer to a call and not for measurements.
    package var isCall: Bool { run.kind == .webhook }
    /// How long that call may take, for which it is claimed besides.
    package var callTime: Duration { WebhookRun(document)?.call.timeout ?? .zero }
}

/// A run of a release, for people.
package struct StoredRun: Sendable {
    package let run: AnalysisRun
    private let document: JSONValue

    fileprivate init(_ row: Row) throws(PostgresError) {
        run = try MeshStore.run(row)
        document = try row.json("document")
    }

    /// The document that people are shown: a webhook's with its attempts.
    package var shown: JSONValue { WebhookRun(document)?.shown ?? run.shown }
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
    /// - Parameter id: of the only one that is meant; `nil`: all that are kept.
    package func analysisRuns(
        of release: ObjectKey, id: String? = nil
    ) async throws(StoreError) -> [StoredRun] {
        var statement: Statement = """
            SELECT a.id, a.started_at, a.document FROM analysis_run a WHERE a.tenant = \(release.tenant.text) AND a.release = \(Self.uid(of: release))
            """
        if let id { statement.append(" AND a.id = \(id)") }
        statement.append(" ORDER BY a.started_at DESC, a.id LIMIT \(Limits.analysisRunsPerRelease.value)")
        return try await rows(statement, seeing: .tenant(release.tenant)).all(StoredRun.init)
    }

    /// A run, or an error in its place.
    fileprivate static func run(_ row: Row) throws(PostgresError) -> AnalysisRun {
        if let run = AnalysisRun(try row.json("document")) { return run }
        return .unreadable(id: try row["id"], startedAt: try row.time("started_at"))
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
            SELECT id, started_at, document FROM analysis_run
             WHERE tenant = \(release.key.tenant.text) AND release = \(release.uid)::text::uuid AND id = ANY (\(ids)::text[])
            """, seeing: .tenant(release.key.tenant)
        ).all(Self.run)
        return Dictionary(runs.map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first })
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
                   SET lease_epoch = a.lease_epoch + 1, lease_until = now() + make_interval(
                        secs => \(seconds) + coalesce((a.document ->> 'callSeconds')::float8, 0))
                  FROM due WHERE (a.tenant, a.release, a.id) = (due.tenant, due.release, due.id)
                RETURNING a.*)
            SELECT \(ReleaseRow.columns), a.id, a.started_at, a.document, a.lease_epoch AS epoch, now() AS now
              FROM a JOIN object o ON o.tenant = a.tenant AND o.uid = a.release
              JOIN release r ON \(ReleaseRow.join)
            """, seeing: .all
        ).all { row throws(PostgresError) in
            let release = try ReleaseRow.decode(row)
            let document = try row.json("document")
            let run = try Self.run(row)
            let isReadable = run.kind == .webhook ? WebhookRun(document) != nil : AnalysisRun(document) != nil
            return ClaimedRun(
                run: run, document: document, isReadable: isReadable, release: release, now: try row.time("now"),
                epoch: try row["epoch"], uid: release.object.uid)
        }
    }

    /// Ends the claim of a run that cannot be brought forward here, and leaves it to others for a while. Its release hears of it.
    package func postpone(_ claim: ClaimedRun, by delay: Duration) async throws(StoreError) {
        let key = claim.release.object.key
        _ = try await rows(
            """
            WITH kept AS (
                UPDATE analysis_run
                   SET next_due_at = now() + make_interval(secs => \(Double(delay.components.seconds))), lease_until = NULL
                 WHERE tenant = \(key.tenant.text) AND release = \(claim.uid)::text::uuid AND id = \(claim.run.id)
                   AND lease_epoch = \(claim.epoch)
                RETURNING id)
            UPDATE release r SET next_wakeup_at = now()
             WHERE r.active AND \(ReleaseRow.condition(key)) AND EXISTS (SELECT FROM kept)
            """, seeing: .all, after: [Self.lock(of: key)])
    }

    /// Locks a release as those do who write its runs and it.
    private static func lock(of release: ObjectKey) -> Statement {
        "SELECT FROM release r WHERE \(ReleaseRow.condition(release)) FOR NO KEY UPDATE"
    }

    /// Writes what a claimed run has come to, and ends the claim.
    ///
    /// The release is locked before the run, as decisions about it do, too.
    ///
    /// - Parameters:
    ///   - measurements: those that were taken.
    ///   - wakes: whether the release goes by it, and is due.
    /// - Returns: `false` if another replica has claimed it meanwhile; then nothing was written.
    package func commit(
        _ run: AnalysisRun, of claim: ClaimedRun, _ measurements: [MeasurementRow], nextDue: Timestamp?, wakes: Bool
    ) async throws(StoreError) -> Bool {
        try await commit(run.json, of: claim, measurements, nextDue: nextDue, wakes: wakes)
    }

    /// Writes what a claimed run of any kind has come to, as ``commit(_:of:_:nextDue:wakes:)`` does.
    ///
    /// - Parameter document: the run as it is to be stored.
    package func commit(
        _ document: JSONValue, of claim: ClaimedRun, _ measurements: [MeasurementRow] = [], nextDue: Timestamp?,
        wakes: Bool
    ) async throws(StoreError) -> Bool {
        let tenant = claim.release.object.key.tenant.text
        let key = claim.release.object.key
        let lock: [Statement] = wakes ? [Self.lock(of: key)] : []
        return try await !rows(
            """
            WITH kept AS (
                UPDATE analysis_run SET document = \(try document.stored), next_due_at = \(nextDue?.stored), lease_until = NULL
                 WHERE tenant = \(tenant) AND release = \(claim.uid)::text::uuid AND id = \(claim.run.id)
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
            forgotten AS (
                DELETE FROM analysis_measurement m USING kept, unnest(
                    \(measurements.map(\.template))::text[], \(measurements.map(\.metric.text))::text[],
                    \(measurements.map(\.k))::bigint[]) AS new (template, metric, k)
                 WHERE (m.tenant, m.release, m.run) = (kept.tenant, kept.release, kept.id)
                   AND (m.template, m.metric) = (new.template, new.metric)
                   AND m.k <= new.k - \(Limits.measurementsPerMetric.value)),
            woken AS (
                -- Later than when it was claimed for, by which a decision in flight knows that it does not know everything.
                UPDATE release r SET next_wakeup_at = now()
                 WHERE \(wakes) AND r.active AND \(ReleaseRow.condition(key)) AND EXISTS (SELECT FROM kept))
            SELECT id FROM kept
            """, seeing: .all, after: lock
        ).isEmpty
    }

    /// How long until some run can be measured that nobody has claimed, at most `limit`.
    package func timeUntilRunDue(atMost limit: Duration) async throws(StoreError) -> Duration {
        // The first of the index, behind those few that are being measured.
        let seconds = try await rows(
            """
            SELECT extract(epoch FROM next_due_at - now())::float8 AS s FROM analysis_run
             WHERE next_due_at IS NOT NULL AND (lease_until IS NULL OR lease_until < now())
             ORDER BY next_due_at LIMIT 1
            """, seeing: .all
        ).first { row throws(PostgresError) -> Double in try row["s"] }
        guard let seconds else { return limit }
        return max(.zero, min(limit, .seconds(seconds)))
    }

    /// Deletes measurements that are older than they are kept: those that were successful, and all of releases that have ended. The
    /// last ones of each metric stay with their run.
    package func forgetMeasurements(olderThan age: Duration) async throws(StoreError) {
        _ = try await rows(
            """
            DELETE FROM analysis_measurement m
             WHERE m.at < now() - make_interval(secs => \(Double(age.components.seconds)))
               AND (m.document ->> 'phase' = 'Successful' OR NOT EXISTS (
                    SELECT FROM object o JOIN release r ON \(ReleaseRow.join)
                     WHERE o.tenant = m.tenant AND o.uid = m.release AND r.active))
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
        try changes.flatMap { change in
            switch change {
            case .begin(let id, let kind, let step):
                let run = try Self.run(id, kind, step, of: release, plan, at: now)
                let insertion: Statement = """
                    INSERT INTO analysis_run (tenant, release, id, mesh, namespace, name, started_at, document, next_due_at)
                    VALUES (\(tenant.text), \(release.uid)::text::uuid, \(id), \(release.key.mesh?.text ?? ""),
                            \(release.key.namespace?.text ?? ""), \(release.key.name.text), \(now.stored),
                            \(try run.stored), now())
                    ON CONFLICT DO NOTHING
                    """
                return [insertion, forgetting(of: release)]
            case .cancel(let id):
                // Whoever has claimed it has lost it.
                let cancellation: Statement = """
                    UPDATE analysis_run
                       SET lease_epoch = lease_epoch + 1, lease_until = NULL, next_due_at = NULL,
                           document = document || jsonb_build_object('phase', \(AnalysisPhase.canceled.rawValue),
                                                                     'completedAt', \(now.text))
                     WHERE tenant = \(tenant.text) AND release = \(release.uid)::text::uuid AND id = \(id)
                       AND document ->> 'completedAt' IS NULL
                    """
                return [cancellation]
            }
        }
    }

    /// The document of a run that begins.
    private static func run(
        _ id: String, _ kind: AnalysisRun.Kind, _ step: Int, of release: StoredObject, _ plan: AnalysisPlan,
        at now: Timestamp
    ) throws -> JSONValue {
        let status = ReleaseStatus(release.status)
        guard kind == .webhook else {
            return AnalysisRun(
                id: id, kind, step: step, attempt: status.attempt, startedAt: now,
                templates: plan.templates(of: kind, step: step)
            ).json
        }
        guard let name = release.key.namespacedName,
            let spec = ReleaseSpec.read(release.spec, at: .root, log: ViolationLog(ofStored: true)),
            let run = WebhookRun(id: id, of: name, spec, status, step: step, at: now)
        else { throw StoreError.internal("step \(step) of \(release.key) calls nobody") }
        return run.json
    }

    /// The statement that deletes a release's oldest runs beyond those that are kept, with their measurements. None that goes on is among
    /// them.
    private func forgetting(of release: StoredObject) -> Statement {
        """
        DELETE FROM analysis_run
         WHERE tenant = \(tenant.text) AND release = \(release.uid)::text::uuid AND document ->> 'completedAt' IS NOT NULL
           AND id NOT IN (
                SELECT id FROM analysis_run WHERE tenant = \(tenant.text) AND release = \(release.uid)::text::uuid
                 ORDER BY started_at DESC, id LIMIT \(Limits.analysisRunsPerRelease.value))
        """
    }

    /// The statement that has the analyses that a release goes by looked at, as its traffic is another. Whoever has claimed one measures
    /// what was cut, and has lost it. Calls of webhooks are not about traffic.
    func waking(_ ids: [String], of release: StoredObject) -> Statement {
        """
        UPDATE analysis_run SET next_due_at = now(), lease_epoch = lease_epoch + 1, lease_until = NULL
         WHERE tenant = \(tenant.text) AND release = \(release.uid)::text::uuid AND id = ANY (\(ids)::text[])
           AND document ->> 'completedAt' IS NULL AND document ->> 'kind' <> \(AnalysisRun.Kind.webhook.rawValue)
        """
    }
}
