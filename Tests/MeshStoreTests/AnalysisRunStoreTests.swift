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
        begin ids: [String] = [], keeping kept: String? = nil, appliedAt: Timestamp? = nil, _ phase: ReleaseStatus.Phase = .progressing
    ) -> ReleaseDecision {
        var decision = ReleaseDecision.enter(phase, wakeup: Timestamp(microseconds: 4_000_000_000_000_000))
        decision.status.analysis.background = ids.last ?? kept
        decision.status.traffic.appliedAt = appliedAt
        decision.analysisChanges = ids.map { .begin(id: $0, .background, step: 0) }
        return decision
    }

    private static func commit(
        _ decision: ReleaseDecision, of row: ReleaseRow, _ store: MeshStore, leaseEpoch: Int64? = nil, copying: AnalysisPlan? = nil
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
                        guard let claim = try await store.claimRuns(limit: 1, lease: .seconds(3600)).first else { continue }
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
}
