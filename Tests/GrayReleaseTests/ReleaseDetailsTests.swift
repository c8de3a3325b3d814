import Documents
import MeshCore
import ReleaseFixtures
import Testing

@testable import GrayRelease

@Suite("What a release says of what it does, and of what it waits for")
struct ReleaseDetailsTests {
    private static func blockers(_ scene: Scene) -> [String] {
        scene.status.blockedOn.map { "\($0.kind): \($0.detail)" }
    }

    @Test("an event has a message only if there is something to say")
    func events() {
        func event(_ message: String, reason: ReleaseStatus.Reason? = nil) -> JSONValue {
            ReleaseEvent(
                kind: .paused, dedupeKey: "k", at: Fixture.epoch, phase: .paused, stepIndex: nil, stepState: nil,
                reason: reason,
                message: message, canaryShare: .none
            ).json
        }
        #expect(event("") == ["phase": "Paused", "canary": 0])
        #expect(
            event("why", reason: .manualPause) == [
                "phase": "Paused", "canary": 0, "reason": "ManualPause", "message": "why",
            ])
    }

    @Test("proxies are waited for until a time, and then for who goes on without them")
    func proxies() throws {
        var scene = Scene(Fixture.spec([Fixture.weight(500, bake: 60)]))
        scene.observations.proxies = .connected(5)
        scene.proxiesFollow = false
        try scene.ask(.start)
        scene.settle()
        let waiting = try #require(Self.blockers(scene).first)
        #expect(waiting.hasPrefix("Proxies: 0 of 5 proxies have acknowledged revision "))
        #expect(waiting.hasSuffix("; the others have until \((Fixture.epoch + .seconds(60)).text)"))
        scene.pass(60)
        let missed = try #require(Self.blockers(scene).first)
        #expect(missed.hasSuffix("; promote goes on without the others") && !missed.contains("until"))
    }

    @Test("those that are away are waited for until a time as well, unless that is over")
    func away() throws {
        var scene = Scene(Fixture.spec([Fixture.weight(500, bake: 60)]))
        scene.observations.proxies = .connected(5)
        scene.observations.proxies.away = [.init(.stillRegistered, count: 5, since: Fixture.epoch)]
        scene.proxiesFollow = false
        try scene.ask(.start)
        scene.settle()
        let blockers = Self.blockers(scene)
        #expect(blockers.count == 1, "none of them is connected")
        #expect(
            blockers[0].hasPrefix(
                "ProxiesAway: 5 proxies are away since \(Fixture.epoch.text), and ready endpoints name them"))
        #expect(blockers[0].contains("until \((Fixture.epoch + .seconds(60)).text) (applyTimeout)"))
        scene.pass(60)
        #expect(Self.blockers(scene)[0].contains("longer than applyTimeout"))
    }

    @Test("an end by a person skips the step, any other fails it")
    func endings() throws {
        var asked = try Scene.started()
        try asked.ask(.rollback(reason: "why", force: false))
        #expect(asked.events.contains { $0.kind == .stepSkipped } && !asked.events.contains { $0.kind == .stepFailed })
        var dead = try Scene.started()
        dead.observations.readyCanary = 0
        dead.settle()
        #expect(dead.events.contains { $0.kind == .stepFailed } && !dead.events.contains { $0.kind == .stepSkipped })
    }

    @Test("a condition has its time from when it became so, whatever is said beside it")
    func conditions() throws {
        var scene = try Scene.started()
        func times() -> [String: Timestamp] {
            Dictionary(uniqueKeysWithValues: scene.status.conditions.map { ($0.type, $0.lastTransitionTime) })
        }
        #expect(scene.status.conditions.map(\.type) == ["Progressing", "CanaryReady", "StableReady", "TrafficApplied"])
        let before = times()
        scene.pass(10)
        #expect(times() == before)
        scene.observations.readyStable = 0
        scene.settle()
        #expect(times().filter { $0.value == scene.now }.map(\.key) == ["StableReady"])
        func ready() -> [String] {
            scene.status.conditions.filter { $0.type.hasSuffix("Ready") }.map { "\($0.type) \($0.isTrue) \($0.reason)" }
        }
        #expect(ready() == ["CanaryReady true EnoughEndpoints", "StableReady false TooFewEndpoints"])
        scene.pass(10)
        scene.observations.readyStable = 1
        scene.observations.readyCanary = 0
        scene.settle()
        #expect(ready() == ["CanaryReady false TooFewEndpoints", "StableReady true EnoughEndpoints"])
        #expect(times()["CanaryReady"] == scene.now && times()["StableReady"] == scene.now)
    }

    @Test("who aborts may leave the traffic only where there is none")
    func aborts() throws {
        var waiting = Scene()
        waiting.observations.readyCanary = 0
        try waiting.ask(.start)
        try waiting.ask(.abort(revertTraffic: false))
        #expect(waiting.status.phase == .aborted)
        var running = try Scene.started()
        let refusal = try #require(throws: VerbRefusal.self) { try running.ask(.abort(revertTraffic: false)) }
        #expect(refusal.code == .unsupported)
    }
}
