import Analysis
import Documents
import MeshCore
import MeshModel
import Postgres
import TestSupport
import Testing

@testable import GrayRelease
@testable import MeshStore

@Suite("Runs of analyses in the database", .timeLimit(.minutes(2)))
struct AnalysisRunStoreTests {
    private static func plan() throws -> AnalysisPlan {
        let document: JSONValue = [
            "metrics": [
                [
                    "name": "success", "provider": ["builtin": "request-success-rate"], "interval": "10s",
                    "successCondition": "result >= 0.9",
                ]
            ]
        ]
        let log = ViolationLog()
        let spec = try #require(AnalysisTemplateSpec.read(document, at: .root, log: log), "\(log.violations)")
        var plan = AnalysisPlan()
        plan.background = [AnalysisPlan.Entry(name: "ok", spec: spec)]
        return plan
    }

    private static func decision(
        begin ids: [String] = [], keeping kept: String? = nil, appliedAt: Timestamp? = nil,
        _ phase: ReleaseStatus.Phase = .progressing
    ) -> ReleaseDecision {
        var decision = ReleaseDecision.enter(phase, wakeup: Timestamp(microseconds: 4_000_000_000_000_000))
        decision.status.analysis.background = ids.last ?? kept
        decision.status.traffic.appliedAt = appliedAt
        decision.analysisChanges = ids.map { .begin(id: $0, .background, step: 0) }
        return decision
    }

    private static func commit(
        _ decision: ReleaseDecision, of row: ReleaseRow, _ store: MeshStore, leaseEpoch: Int64? = nil,
        copying: AnalysisPlan? = nil
    ) async throws -> Bool {
        struct Lost: Error {}
        do {
            try await store.write { transaction in
                let object = try await transaction.commit(
                    decision, of: row, copying: copying, leaseEpoch: leaseEpoch, actor: "somebody")
                guard object != nil else { throw Lost() }
            }
            return true
        } catch is Lost {
            return false
        }
    }

    /// A release with a run that is due.
    private static func start(_ store: MeshStore, _ ids: [String] = ["r"]) async throws -> ReleaseRow {
        let row = try await store.createRelease("v2")
        #expect(try await commit(decision(begin: ids), of: row, store, copying: try plan()))
        return try await store.row("v2")
    }

    private static func claim(_ store: MeshStore) async throws -> ClaimedRun {
        try #require(try await store.claimRuns(limit: 1, lease: .seconds(3600)).first)
    }

    @Test("a measurement and a decision that meet wait for each other in one order, however often")
    func order() async throws {
        try await withStore { store in
            let row = try await Self.start(store)
            let claim = try await Self.claim(store)
            let (measuring, _) = try await store.write { transaction in
                try await transaction.pipeline([
                    "SELECT FROM release r WHERE \(ReleaseRow.condition(row.object.key)) FOR UPDATE"
                ])
                let measuring = Task { try await store.commit(claim.run, of: claim, [], nextDue: nil, wakes: true) }
                try await store.untilSomebodyWaits()
                // What a decision writes last.
                return (measuring, try await transaction.pipeline([transaction.waking(["r"], of: row.object)]))
            }
            #expect(try await !measuring.value, "the decision has ended the claim")
        }
    }

    @Test("measurements and decisions go on side by side")
    func manyAtOnce() async throws {
        try await withStore { store in
            _ = try await Self.start(store)
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask {
                    for _ in 0..<60 {
                        guard let claim = try await store.claimRuns(limit: 1, lease: .seconds(3600)).first else {
                            continue
                        }
                        _ = try await store.commit(
                            claim.run, of: claim, [], nextDue: Timestamp(microseconds: 0), wakes: true)
                    }
                }
                group.addTask {
                    for number in 0..<60 {
                        let row = try await store.row("v2")
                        let appliedAt = Timestamp(microseconds: Int64(number) * 1_000_000)
                        _ = try await Self.commit(Self.decision(keeping: "r", appliedAt: appliedAt), of: row, store)
                    }
                }
                try await group.waitForAll()
            }
        }
    }

    @Test("who is woken while a decision about it is in flight is due again", arguments: [true, false])
    func wake(_ isDriver: Bool) async throws {
        try await withStore { store in
            _ = try await Self.start(store)
            try await store.setWakeup("v2", in: "-1 minute")
            let read = isDriver ? try #require(try await store.claim("r1").first) : try await store.row("v2")
            let claim = try await Self.claim(store)
            #expect(try await store.commit(claim.run, of: claim, [], nextDue: nil, wakes: true))
            let epoch = isDriver ? read.leaseEpoch : nil
            #expect(try await Self.commit(Self.decision(keeping: "r"), of: read, store, leaseEpoch: epoch))
            #expect(try await store.claim("r2").count == 1, "nobody waits for the time that was planned without it")
        }
    }

    @Test("one that nobody wakes waits for its time, and one that has ended for ever")
    func notWoken() async throws {
        try await withStore { store in
            _ = try await Self.start(store)
            let row = try await store.row("v2")
            #expect(try await Self.commit(Self.decision(keeping: "r"), of: row, store))
            #expect(try await store.claim("r1").isEmpty)
            let read = try await store.row("v2")
            let claim = try await Self.claim(store)
            #expect(try await store.commit(claim.run, of: claim, [], nextDue: nil, wakes: true))
            #expect(try await Self.commit(Self.decision(.succeeded), of: read, store))
            #expect(try await store.row("v2").nextWakeupAt == read.nextWakeupAt, "what the decision said")
        }
    }

    @Test("a change of traffic ends the claims of those who measure what it cuts, and nothing else does")
    func traffic() async throws {
        try await withStore { store in
            _ = try await Self.start(store)
            let claim = try await Self.claim(store)
            #expect(try await store.claimRuns(limit: 1, lease: .seconds(1)).isEmpty)
            #expect(try await Self.commit(Self.decision(keeping: "r"), of: try await store.row("v2"), store))
            #expect(try await store.claimRuns(limit: 1, lease: .seconds(1)).isEmpty)
            let other = Self.decision(keeping: "r", appliedAt: Timestamp(microseconds: 1))
            #expect(try await Self.commit(other, of: try await store.row("v2"), store))
            let next = try await Self.claim(store)
            #expect(try await !store.commit(claim.run, of: claim, [], nextDue: nil, wakes: false))
            #expect(try await store.commit(next.run, of: next, [], nextDue: nil, wakes: false))
        }
    }

    @Test("one that cannot be read is an error, is left alone for a while, and its release hears of it")
    func unreadable() async throws {
        try await withStore { store in
            let row = try await Self.start(store)
            _ = try await store.pool.pipeline([
                MeshStore.Visibility.all.statement,
                "UPDATE analysis_run SET document = '{\"id\": \"r\", \"kind\": \"later\"}'",
            ])
            let claim = try await Self.claim(store)
            #expect(!claim.isReadable && claim.release.object == row.object)
            try await store.postpone(claim, by: .seconds(600))
            #expect(try await store.claimRuns(limit: 1, lease: .seconds(1)).isEmpty)
            #expect(try await store.claim("r1").count == 1)
            let run = try await store.analysisRuns(of: row.object, ids: ["r"])["r"]
            #expect(run?.phase == .error && run?.message.isEmpty == false)
            #expect(try await store.analysisRuns(of: row.object.key).map(\.run.phase) == [.error])
            let documents = try await store.pool.pipeline([
                MeshStore.Visibility.all.statement, "SELECT document ->> 'kind' AS kind FROM analysis_run",
            ])
            #expect(
                try documents[1].map { try $0["kind"] as String } == ["later"], "whoever wrote it finds it as it was")
        }
    }

    @Test("is due when nobody has claimed it, and is as of its claim")
    func due() async throws {
        try await withStore { store in
            #expect(try await store.timeUntilRunDue(atMost: .seconds(7)) == .seconds(7))
            _ = try await Self.start(store)
            #expect(try await store.timeUntilRunDue(atMost: .seconds(7)) == .zero)
            let before = try await store.now()
            let claim = try await Self.claim(store)
            let after = try await store.now()
            #expect((before...after).contains(claim.now))
            #expect(try await store.timeUntilRunDue(atMost: .seconds(7)) == .seconds(7))
            #expect(try await store.commit(claim.run, of: claim, [], nextDue: after + .seconds(3), wakes: false))
            let rest = try await store.timeUntilRunDue(atMost: .seconds(7))
            #expect(rest > .seconds(1) && rest <= .seconds(3))
        }
    }

    // MARK: What is forgotten

    private static func measurement(_ k: Int, _ phase: AnalysisPhase = .successful, at: Timestamp) -> MeasurementRow {
        let measurement = Measurement(k: k, from: at, to: at, MeasurementOutcome(phase, ""), at: at)
        return MeasurementRow(template: "ok", metric: name("success"), measurement)
    }

    private static func kept(_ store: MeshStore, _ release: ObjectKey, _ run: String = "r") async throws -> [Int] {
        try await store.measurements(of: run, of: release, after: nil, limit: 100).map(\.k)
    }

    @Test("of a metric's measurements the newest are kept")
    func measurementsOfMetric() async throws {
        try await withStore { store in
            let row = try await Self.start(store)
            let (limit, now) = (Limits.measurementsPerMetric.value, try await store.now())
            for k in [0, 1, limit, limit + 1] {
                let claim = try await Self.claim(store)
                #expect(
                    try await store.commit(
                        claim.run, of: claim, [Self.measurement(k, at: now)], nextDue: Timestamp(microseconds: 0),
                        wakes: false))
            }
            #expect(try await Self.kept(store, row.object.key) == [limit, limit + 1])
        }
    }

    @Test("old measurements go when they were successful, and with the end of their release whatever they said")
    func oldMeasurements() async throws {
        try await withStore { store in
            let row = try await Self.start(store)
            let now = try await store.now()
            let rows = [
                Self.measurement(0, at: now - .seconds(7_200)), Self.measurement(1, .failed, at: now - .seconds(7_200)),
                Self.measurement(2, at: now),
            ]
            let claim = try await Self.claim(store)
            #expect(try await store.commit(claim.run, of: claim, rows, nextDue: nil, wakes: false))
            try await store.forgetMeasurements(olderThan: .seconds(3_600))
            #expect(try await Self.kept(store, row.object.key) == [1, 2])
            #expect(try await Self.commit(Self.decision(.succeeded), of: try await store.row("v2"), store))
            try await store.forgetMeasurements(olderThan: .seconds(3_600))
            #expect(try await Self.kept(store, row.object.key) == [2])
        }
    }

    @Test("of a release's runs the newest are kept, those that go on whichever they are, and none outlives it")
    func runs() async throws {
        try await withStore { store in
            let limit = Limits.analysisRunsPerRelease.value
            let row = try await Self.start(store, ["running"])
            let ids = (0..<limit + 3).map { "r\($0)" }
            for id in ids {
                var decision = Self.decision(begin: [id])
                decision.analysisChanges.append(.cancel(id: id))
                #expect(try await Self.commit(decision, of: try await store.row("v2"), store, copying: try Self.plan()))
                _ = try await store.pool.pipeline([
                    MeshStore.Visibility.all.statement,
                    "UPDATE analysis_run SET started_at = now() WHERE id = \(id)",
                ])
            }
            let count: Statement = "SELECT count(*) AS count FROM analysis_run"
            let all = try await store.pool.pipeline([MeshStore.Visibility.all.statement, count])
            let number = try all[1].map { try $0["count"] as Int }.first
            // Those that are kept, the one that goes on, and the one that was begun last and has ended since.
            #expect(number.map { $0 <= limit + 2 } == true)
            let runs = try await store.analysisRuns(of: row.object, ids: ["running", "r0", try #require(ids.last)])
            #expect(Set(runs.keys) == ["running", ids.last])
            try await store.delete(row.object.key)
            let rest = try await store.pool.pipeline([MeshStore.Visibility.all.statement, count])
            #expect(try rest[1].map { try $0["count"] as Int } == [0])
        }
    }
}
