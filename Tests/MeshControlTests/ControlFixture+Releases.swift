import Documents
import GrayRelease
import MeshControl
import MeshCore
import MeshIdentity
import MeshModel
import MeshStore
import Testing

extension ControlFixture {
    /// Carries out a verb of a release.
    @discardableResult
    func act(
        _ verb: ReleaseVerb.Name, on place: String = "shop/releases/r", _ body: JSONValue = [:],
        _ options: WriteOptions = WriteOptions(requestId: "r"), by caller: Caller = admin
    ) async throws -> WrittenObject {
        try await control.act(on: Self.key(place), verb, body, options, by: caller) { _ in
            StoredAnswer(status: 200, headers: [:], body: [])
        }.value()
    }

    /// - Parameter source: of the routes of a proxy.
    func preview(
        _ body: JSONValue = [:], by caller: Caller = admin,
        routesFrom source: @escaping RouteDifferenceSource = { _, _, _, _ in [] }
    ) async throws -> JSONValue {
        try await control.preview(Self.key("shop/releases/r"), body, by: caller, routesFrom: source)
    }

    /// Gives the release `shop/r` another status, as the engine would.
    func setStatus(_ change: (inout ReleaseStatus) -> Void) async throws {
        var status = ReleaseStatus(try await fetch("shop/releases/r").status)
        change(&status)
        try await putStatus("shop/releases/r", status.json)
    }

    /// Has the release in its step, with so much for the canary.
    func setProgress(_ share: Int64, step: Int64 = 0, phase: ReleaseStatus.Phase = .progressing) async throws {
        let current: JSONValue = [
            "index": .integer(step), "kind": "setWeight", "state": "Baking", "startedAt": "2026-11-30T00:00:00Z",
            "visit": 1,
        ]
        try await setStatus { status in
            status.phase = phase
            status.currentStep = ReleaseStatus(["currentStep": current]).currentStep
            status.traffic.canaryShare = TrafficShare(basisPoints: share) ?? .none
        }
    }
}

/// The engine did not get where a test waits for it.
struct NotDriven: Error, CustomStringConvertible {
    let status: ReleaseStatus
    var description: String { "\(status.phase) \(status.blockedOn) \(status.message)" }
}

extension ControlFixture {
    /// Drives all releases as the engine would, one look after the other, until one of them is as it is to be.
    func drive(_ name: String = "r", until isThere: (ReleaseStatus) -> Bool) async throws {
        var status = ReleaseStatus()
        for _ in 0..<200 {
            status = ReleaseStatus(try await fetch("shop/releases/\(name)").status)
            if isThere(status) { return }
            try await execute("UPDATE release SET next_wakeup_at = now() WHERE active")
            for claimed in try await control.claimReleases(by: "r1", limit: 9, lease: .seconds(60)) {
                let world = try await control.observe(claimed.release)
                let decision = ReleaseMachine.decide(
                    spec: claimed.release.spec, status: claimed.release.status, observations: world.observations,
                    now: world.now)
                _ = try await control.commit(decision, of: claimed)
            }
        }
        throw NotDriven(status: status)
    }
}
