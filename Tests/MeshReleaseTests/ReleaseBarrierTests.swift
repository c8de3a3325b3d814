import MeshModel
import Testing

@Suite("A release makes before it breaks")
struct ReleaseBarrierTests {
    @Test("the canary is sent nothing before every proxy knows it")
    func barrier() throws {
        var scene = Scene()
        scene.observations.connectedProxies = 2
        scene.proxiesFollow = false
        try scene.ask(.start)
        scene.settle()
        #expect(scene.status.phase == .progressing)
        #expect(scene.status.traffic.clustersRevision != nil)
        #expect(!scene.status.ownsTraffic)
        scene.observations.ackedClusters = 1
        scene.settle()
        #expect(!scene.status.ownsTraffic)
        #expect(scene.status.blockedOn.map(\.kind) == ["Proxies"])
        scene.observations.ackedClusters = 2
        scene.settle()
        #expect(scene.status.traffic.canaryShare == Fixture.share(500))
        #expect(scene.status.currentStep?.state == .verifying, "baking begins when the proxies have followed")
        scene.pass(10)
        #expect(scene.status.currentStep?.state == .verifying)
        scene.observations.ackedRoutes = 2
        scene.settle()
        #expect(scene.status.currentStep?.state == .baking)
        #expect(scene.status.currentStep?.elapsed(at: scene.now) == .zero)
    }

    @Test("proxies that never answer are reported and left behind")
    func stragglers() throws {
        var scene = Scene()
        scene.observations.connectedProxies = 2
        scene.proxiesFollow = false
        try scene.ask(.start)
        scene.settle()
        scene.pass(29)
        #expect(!scene.status.ownsTraffic)
        scene.pass(1)
        #expect(scene.status.currentStep?.state == .verifying)
        scene.pass(30)
        #expect(scene.status.currentStep?.state == .baking)
        #expect(scene.events.count { $0.kind == .stragglersLeftBehind } == 2)
    }

    @Test(
        "a proxy that rejects the configuration fails the step",
        arguments: [ReleaseSpec.FailureAction.rollback, .pause])
    func rejection(_ onFailed: ReleaseSpec.FailureAction) throws {
        var scene = Scene(Fixture.spec(onFailed: onFailed))
        scene.observations.connectedProxies = 1
        scene.proxiesFollow = false
        try scene.ask(.start)
        scene.settle()
        scene.observations.ackedClusters = 1
        scene.settle()
        let revision = try #require(scene.status.traffic.configRevision)
        scene.observations.rejections = [.init(proxy: "p", revision: revision - 1, message: "old")]
        scene.settle()
        #expect(scene.status.currentStep?.state == .verifying, "a rejection of something older is not the step's")
        scene.observations.rejections = [.init(proxy: "p", revision: revision, message: "bad route")]
        scene.settle()
        #expect(scene.status.phase == (onFailed == .rollback ? .rollingBack : .paused))
        #expect(scene.status.reason == .configRejected)
        #expect(scene.status.message.contains("bad route"))
        guard onFailed == .pause else { return }
        scene.observations.rejections = []
        scene.observations.ackedRoutes = 1
        try scene.ask(.resume)
        scene.settle()
        #expect(scene.status.currentStep?.state == .baking)
    }

    @Test("a step waits for as many canary endpoints as its share needs")
    func capacity() throws {
        let spec = Fixture.spec(
            [Fixture.weight(5000, bake: 5)], endpointGuard: .init(minReady: 1, capacityPercent: 100))
        var scene = Scene(spec)
        scene.observations.readyStable = 5
        scene.observations.readyCanary = 2
        try scene.ask(.start)
        scene.settle()
        #expect(scene.status.blockedOn.map(\.kind) == ["Endpoints"])
        #expect(!scene.status.ownsTraffic)
        scene.observations.readyCanary = 3
        scene.settle()
        #expect(scene.status.currentStep?.state == .baking)
        scene.pass(5)
        #expect(scene.status.phase == .promoting, "all traffic needs five")
        scene.pass(599)
        #expect(scene.status.phase == .promoting)
        scene.pass(1)
        #expect(scene.status.phase == .rolledBack)
        #expect(scene.status.reason == .progressDeadlineExceeded)
    }
}
