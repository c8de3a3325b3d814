import Documents
import GrayRelease
import MeshCore
import ReleaseFixtures
import Testing

@Suite("A release's status is a document that people and the engine read")
struct ReleaseStatusTests {
    @Test("the document has the shape that the API promises")
    func shape() throws {
        var scene = try Scene.started(proxies: 2)
        scene.now = scene.now + .seconds(30)
        let document = scene.status.shown(at: scene.now).json
        #expect(document["phase"] == "Progressing")
        #expect(document["currentStep"]?["index"] == 0)
        #expect(document["currentStep"]?["kind"] == "setWeight")
        #expect(document["currentStep"]?["state"] == "Baking")
        #expect(document["currentStep"]?["elapsedActive"] == "PT30S")
        #expect(document["currentStep"]?["deadlineAt"] == .null)
        #expect(document["traffic"]?["desired"] == ["canary": 500, "stable": 9500])
        #expect(document["traffic"]?["applied"]?["ackedProxies"] == 2)
        #expect(document["traffic"]?["applied"]?["totalProxies"] == 2)
        #expect(
            document["traffic"]?["applied"]?["configRevision"] == .integer(scene.status.traffic.configRevision ?? 0))
        #expect(document["allowedActions"] == ["pause", "promote", "skip", "goto", "rollback", "abort"])
        #expect(document["completionStatus"] == .null)
        #expect(document["conditions"]?.arrayValue?.count == 4)
    }

    @Test(
        "a document that is no status is a draft",
        arguments: [
            "{}", "null", "[]", "3", #"{"phase": "Dancing", "attempt": -4, "currentStep": 7, "traffic": []}"#,
            #"{"attempt": 9223372036854775807, "traffic": {"desired": {"canary": 20000}, "applied": 3, "matches": [1]}}"#,
        ])
    func foreign(_ text: String) throws {
        let status = ReleaseStatus(try JSON.parse(text))
        #expect(status.phase == .draft)
        #expect(!status.ownsTraffic)
        #expect(ReleaseMachine.allowedVerbs(status) == [.start, .abort])
    }

    @Test("what is compiled is the traffic of releases that are under way")
    func ownedTraffic() throws {
        let scene = try Scene.started()
        let traffic = try #require(scene.status.ownedTraffic(of: scene.spec, in: Fixture.shop))
        #expect(traffic.service == NamespacedName(namespace: Fixture.shop, name: Fixture.reviews))
        #expect(traffic.canaryShare == Fixture.share(500))
        #expect((traffic.stable, traffic.canary) == (Fixture.v1, Fixture.v2))
        for phase in ReleaseStatus.Phase.allCases {
            let scene = try ReleaseVerbTests.scene(in: phase)
            let isOwner = [.progressing, .paused, .waitingApproval, .promoting, .finalizing].contains(phase)
            #expect((scene.status.ownedTraffic(of: scene.spec, in: Fixture.shop) != nil) == isOwner, "\(phase)")
        }
    }

    @Test("a revision is stamped once, and only on traffic that awaits it")
    func stamp() throws {
        var status = ReleaseStatus()
        status.stamp(7)
        #expect(status.traffic.configRevision == nil)
        status.traffic.changedAt = Fixture.epoch
        status.stamp(8)
        status.stamp(9)
        #expect(status.traffic.configRevision == 8)
    }

    @Test("the events of a whole plan, in order")
    func events() throws {
        var scene = try Scene.started(
            Fixture.spec([Fixture.weight(500, bake: 60), ReleaseStep(.pause(nil))]), proxies: 1)
        scene.pass(60)
        try scene.ask(.resume)
        scene.settle()
        scene.pass(30)
        #expect(
            scene.events.map(\.dedupeKey) == [
                "a1/t1/Started", "a1/s0/v1/StepStarted", "a1/t2/Progressing", "a1/s0/v1/StepApplying",
                "a1/s0/v1/StepVerifying", "a1/s0/v1/StepBaking", "a1/s0/v1/StepCompleted", "a1/s1/v2/StepStarted",
                "a1/s1/v2/StepWaiting", "a1/t3/Paused", "a1/t4/Resumed", "a1/s1/v2/StepCompleted",
                "a1/t5/PromotionStarted", "a1/s2/v3/StepStarted", "a1/s2/v3/StepApplying", "a1/s2/v3/StepVerifying",
                "a1/s2/v3/StepCompleted", "a1/t6/Promoted", "a1/t7/Succeeded",
            ])
        #expect(scene.events.last?.json["phase"] == "Succeeded")
    }
}
