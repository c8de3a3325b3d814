import Testing

@testable import XDSServer

/// Clients that are slower than the changes are.
@Suite("Clients that are slower than the changes")
struct SlowClientTests {
    @Test("Endpoints that change all the time do not hold routes back", arguments: bothVariants)
    func churn(_ variant: Variant) throws {
        func at(_ revision: Int64, route: String) -> Snapshot {
            snapshot(
                revision,
                [
                    .cluster: ["c": "1"], .endpoint: ["c": "\(revision)"], .listener: ["l": "1"], .route: ["r": route],
                ])
        }
        var session = try Session.synced(variant, at(1, route: "1"), endpoints: ["c"], routes: ["r"])
        var pending: [Response] = []
        var sawRoute = false
        for revision in Int64(2)..<20 {
            session.machine.update(at(revision, route: "2"))
            pending += session.responses()
            // A snapshot is always newer than what is being acknowledged.
            session.machine.update(at(revision + 100, route: "2"))
            for response in pending {
                sawRoute = sawRoute || response.type == .route
                try session.ack(response)
            }
            pending = session.responses()
        }
        #expect(sawRoute)
        #expect(session.machine.ackedRevision > 1)
    }

    @Test("Endpoints that change all the time do not hold removals back", arguments: bothVariants)
    func churnAndRemoval(_ variant: Variant) throws {
        func at(_ revision: Int64, _ clusters: [String: String]) -> Snapshot {
            snapshot(revision, [.cluster: clusters, .endpoint: ["c": "\(revision)"], .route: ["r": "1"]])
        }
        var session = try Session.synced(variant, at(1, ["c": "1", "gone": "1"]), endpoints: ["c"], routes: ["r"])
        var isGone = false
        var pending: [Response] = []
        for revision in Int64(2)..<20 {
            session.machine.update(at(revision, ["c": "1"]))
            pending += session.responses()
            session.machine.update(at(revision + 100, ["c": "1"]))
            for response in pending {
                if response.type == .cluster { isGone = !response.names.contains("gone") }
                try session.ack(response)
            }
            pending = session.responses()
        }
        #expect(isGone)
    }

    @Test(
        "A revision is acknowledged even if there is always a newer one when the acknowledgement comes",
        arguments: bothVariants)
    func progressUnderChurn(_ variant: Variant) throws {
        var session = try Session.synced(variant, snapshot(1, [.route: ["r": "1"]]), routes: ["r"])
        for revision in Int64(2)..<20 {
            session.machine.update(snapshot(revision, [.route: ["r": "\(revision)"]]))
            for response in session.responses() {
                session.machine.update(snapshot(revision + 1, [.route: ["r": "\(revision + 1)"]]))
                _ = session.machine.next()
                try session.ack(response)
                #expect(session.machine.ackedRevision == revision)
            }
        }
    }
}
