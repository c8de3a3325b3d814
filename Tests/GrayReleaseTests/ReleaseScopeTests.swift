import Documents
import GrayRelease
import MeshCore
import ReleaseFixtures
import Testing

@Suite("A release's scope is read, checked and written back")
struct ReleaseScopeTests {
    @Test("a scope names rules and ports; who narrows a release is asked before the rest moves")
    func scope() throws {
        func read(_ scope: String, _ more: String = "") throws -> (spec: ReleaseSpec?, log: ViolationLog) {
            ReleaseSpecTests.read(
                try ReleaseSpecTests.document(#"{"type": "canary", "trafficRouting": {"scope": \#(scope)}}"#, more))
        }
        let all = try read("{}")
        #expect(all.spec?.unsplitAction == .move)
        #expect(all.spec?.json["promotion"] == nil, "what depends on the scope is not written down")
        #expect(
            all.spec?.json["strategy"]?["trafficRouting"]?["scope"] == [
                "gateways": ["mesh"], "paths": [["prefix": "/"]],
            ])
        let narrow = try read(#"{"rules": ["*", "reviews/pin"], "ports": [9080, 9081]}"#)
        #expect(narrow.log.violations.isEmpty && narrow.log.unknownFields.isEmpty)
        let spec = try #require(narrow.spec)
        #expect(spec.strategy.rules == ["*", "reviews/pin"])
        #expect(spec.namedPorts == [9080, 9081])
        #expect(spec.unsplitAction == .hold)
        #expect(spec.json["promotion"] == nil)
        #expect(ReleaseSpecTests.read(spec.json).spec == spec)
        #expect(spec.traffic(in: Fixture.shop).covers(port: 9081))
        #expect(!spec.traffic(in: Fixture.shop).covers(port: 80))
        for scope in [#"{"paths": [{"prefix": "/a"}]}"#, #"{"rules": ["a"]}"#, #"{"ports": [1]}"#] {
            #expect(try read(scope).spec?.unsplitAction == .hold)
            let written = try read(scope, #""promotion": {"unsplit": "move"}"#).spec
            #expect(written?.unsplitAction == .move)
            #expect(written?.json["promotion"] == ["unsplit": "move"])
        }
    }

    @Test(
        "a scope that cannot be is refused with its place",
        arguments: [
            (#"{"rules": ["a", "a"]}"#, "", "rules/1", Violation.Code.duplicate),
            (#"{"rules": [""]}"#, "", "rules/0", .invalidValue),
            (#"{"rules": [3]}"#, "", "rules/0", .wrongType),
            (#"{"ports": [0]}"#, "", "ports/0", .outOfRange),
            (#"{"ports": ["http"]}"#, "", "ports/0", .wrongType),
            (#"{"ports": [80, 80]}"#, "", "ports/1", .duplicate),
            (#"{"gateways": ["mesh", "public"]}"#, "", "gateways/1", .unsupported),
        ])
    func badScope(_ scope: String, _ more: String, _ place: String, _ code: Violation.Code) throws {
        let (_, log) = ReleaseSpecTests.read(
            try ReleaseSpecTests.document(#"{"type": "canary", "trafficRouting": {"scope": \#(scope)}}"#, more))
        #expect(
            log.violations.map { "\($0.pointer) \($0.code)" } == [
                "/spec/strategy/trafficRouting/scope/\(place) \(code)"
            ])
    }

    @Test("a started release may leave out what is its default anyway, and nothing else")
    func startedDefault() throws {
        var stored = Fixture.spec([Fixture.weight(5000)])
        stored.unsplit = .move
        var status = ReleaseStatus()
        status.phase = .progressing
        var written = stored
        for (unsplit, isRefused) in [(nil, false), (.hold, true)] as [(ReleaseSpec.UnsplitAction?, Bool)] {
            written.unsplit = unsplit
            let log = ViolationLog()
            written.check(replacing: stored, at: status, JSONPointer(["spec"]), log: log)
            #expect(log.violations.map(\.pointer.description) == (isRefused ? ["/spec/promotion"] : []))
        }
    }

    @Test("a mirror beside a share is told once, at the step that begins it")
    func mirrorBesideShare() {
        let mirror = ReleaseStep(.setMirror(.init(share: .all, methods: ["GET"])))
        func places(_ steps: [ReleaseStep]) -> [String] {
            Fixture.spec(steps).warnings(at: JSONPointer(["spec"])).map(\.pointer.description)
        }
        #expect(
            places([mirror, Fixture.weight(500), Fixture.weight(5000)]) == ["/spec/strategy/steps/1"])
        #expect(places([Fixture.weight(500), mirror]) == ["/spec/strategy/steps/1"])
        #expect(places([mirror, ReleaseStep(.setMirror(nil)), Fixture.weight(500)]).isEmpty)
    }

    @Test("a port beside a scope of ports, and an unknown answer to unsplit, are refused")
    func badPorts() throws {
        let scoped = #"{"type": "canary", "trafficRouting": {"scope": {"ports": [80]}}}"#
        #expect(
            ReleaseSpecTests.read(try ReleaseSpecTests.document(scoped, #""port": 80"#)).log.violations.map(
                \.pointer.description) == [
                    "/spec/port"
                ])
        let answer = ReleaseSpecTests.read(
            try ReleaseSpecTests.document(#"{"type": "canary"}"#, #""promotion": {"unsplit": "ask"}"#))
        #expect(answer.log.violations.map(\.pointer.description) == ["/spec/promotion/unsplit"])
        #expect(answer.log.violations.first?.choices == ["move", "hold"])
    }
}
