import Documents
import Foundation
import GrayRelease
import MeshCore
import ReleaseFixtures
import Testing

@Suite("A release's spec is read, checked and written back")
struct ReleaseSpecTests {
    static func read(_ document: JSONValue) -> (spec: ReleaseSpec?, log: ViolationLog) {
        let log = ViolationLog()
        return (ReleaseSpec.read(document, at: JSONPointer(["spec"]), log: log), log)
    }

    /// The shortest release, with fields replaced or added.
    static func document(_ strategy: String, _ more: String = "") throws -> JSONValue {
        try JSON.parse(
            """
            {"service": "reviews", "stable": {"version": "v1"}, "canary": {"version": "v2"},
             "strategy": \(strategy) \(more.isEmpty ? "" : ", " + more)}
            """)
    }

    @Test(
        "the short forms show their whole plan",
        arguments: [
            ("canary", "", ["setWeight", "setWeight", "setWeight", "setWeight"]),
            ("blueGreen", "", ["pause", "setWeight"]),
            ("mirror", "", ["setMirror", "pause", "setMirror", "setWeight"]),
            (
                "abTest", #", "match": {"any": [{"cookies": {"group": {"exact": "beta"}}}]}"#,
                ["setMatch", "pause", "setWeight"]
            ),
        ])
    func shortForms(_ type: String, _ more: String, _ kinds: [String]) throws {
        let (spec, log) = Self.read(try Self.document(#"{"type": "\#(type)"\#(more)}"#))
        #expect(log.violations.isEmpty && log.unknownFields.isEmpty)
        let read = try #require(spec)
        #expect(read.strategy.steps.map(\.kind.rawValue) == kinds)
        #expect(read.strategy.traffic(through: kinds.count - 1).share == .all)
        #expect(read.json["strategy"]?["steps"]?.arrayValue?.count == kinds.count)
        #expect(Self.read(read.json).spec == read, "what is stored reads back equal")
        #expect(read.json["strategy"]?["match"] == nil)
    }

    @Test("defaults")
    func defaults() throws {
        let spec = try #require(Self.read(try Self.document(#"{"type": "canary"}"#)).spec)
        #expect(spec.progressDeadline == .seconds(600))
        #expect(spec.retainStable == .seconds(30))
        #expect(spec.strategy.applyTimeout == .seconds(60))
        #expect(spec.strategy.maxStragglers == nil && spec.strategy.onApplyTimeout == .hold)
        #expect([1, 199, 200, 1_000, 10_000].map(spec.strategy.maxStragglers) == [1, 1, 2, 10, 100])
        #expect(spec.strategy.paths == [.prefix("/")])
        #expect(spec.strategy.endpointGuard == .init())
        #expect(spec.onFailed == .rollback)
        #expect(spec.port == nil)
    }

    @Test("a full document survives, and its canonical form is stable through JSON text")
    func full() throws {
        let document = try Self.document(
            """
            {"type": "canary",
             "trafficRouting": {"protocol": "http", "scope": {"gateways": ["mesh"], "paths": [{"prefix": "/api"}, {"exact": "/"}]},
               "endpointGuard": {"minReady": 2, "capacityRatio": 0.75, "onCanaryUnavailable": "hold"}, "applyTimeout": "45s",
               "maxStragglers": 0, "onApplyTimeout": "proceed"},
             "steps": [
               {"name": "internal", "setMatch": {"any": [{"headers": {"X-Canary": {"exact": "insider"}}},
                  {"cookies": {"group": {"regex": "^beta-.*$"}}}, {"path": {"prefix": "/v3/"}}, {"queryParams": {"x": {}}}]}},
               {"name": "shadow", "setMirror": {"percentage": 12.5, "methods": ["GET", "HEAD"]}, "bakeTime": "10m"},
               {"setMirror": {"percentage": 100, "methods": ["*"]}},
               {"setMirror": {"percentage": 0}}, {"setMatch": {"any": []}},
               {"setWeight": 1, "bakeTime": "250ms"}, {"pause": {}}, {"pause": {"duration": "90s"}}, {"setWeight": 10000}]}
            """,
            """
            "port": 9080, "progressDeadline": "1h30m", "retainStable": "0s", "supersedePolicy": "reject",
            "failurePolicy": {"onFailed": "pause", "rollback": {"mode": "immediate"}},
            "schedule": {"startAt": "2026-11-24T02:00:00+08:00", "respectFreezeWindows": false}
            """)
        let (spec, log) = Self.read(document)
        #expect(log.violations == [] && log.unknownFields == [])
        let read = try #require(spec)
        #expect(read.startAt?.text == "2026-11-23T18:00:00.000000Z")
        #expect(read.strategy.endpointGuard.capacityPercent == 75)
        #expect(
            read.strategy.steps[1].action == .setMirror(.init(share: Fixture.share(1250), methods: ["GET", "HEAD"])))
        #expect(read.strategy.steps[2].action == .setMirror(.init(share: .all, methods: [])))
        #expect(read.strategy.steps[3].action == .setMirror(nil))
        let text = try JSONEncoder().encode(read.json)
        #expect(Self.read(try JSONValue(json: text)).spec == read)
    }

    @Test(
        "what is wrong is refused with its place",
        arguments: [
            (#"{"type": "canary", "steps": []}"#, "", "/spec/strategy/steps", Violation.Code.required),
            (#"{"type": "rainbow"}"#, "", "/spec/strategy/type", .invalidValue),
            (#"{}"#, "", "/spec/strategy/type", .required),
            (#"{"type": "abTest"}"#, "", "/spec/strategy/match", .required),
            (#"{"type": "abTest", "match": {"any": []}}"#, "", "/spec/strategy/match/any", .required),
            (#"{"type": "abTest", "steps": [{"setWeight": 1}]}"#, "", "/spec/strategy/steps", .invalidValue),
            (
                #"{"type": "canary", "match": {"any": [{"path": {"prefix": "/"}}]}}"#, "", "/spec/strategy/match",
                .conflict
            ),
            (
                #"{"type": "canary", "steps": [{"setWeight": 10001}]}"#, "", "/spec/strategy/steps/0/setWeight",
                .outOfRange
            ),
            (#"{"type": "canary", "steps": [{"setWeight": -1}]}"#, "", "/spec/strategy/steps/0/setWeight", .outOfRange),
            (
                #"{"type": "canary", "steps": [{"setWeight": 9223372036854775807}]}"#, "",
                "/spec/strategy/steps/0/setWeight", .outOfRange
            ),
            (#"{"type": "canary", "steps": [{"setWeight": 1.5}]}"#, "", "/spec/strategy/steps/0/setWeight", .wrongType),
            (#"{"type": "canary", "steps": [{"setWeight": "5"}]}"#, "", "/spec/strategy/steps/0/setWeight", .wrongType),
            (#"{"type": "canary", "steps": [{"setWeight": 5, "pause": {}}]}"#, "", "/spec/strategy/steps/0", .conflict),
            (#"{"type": "canary", "steps": [{"name": "x"}]}"#, "", "/spec/strategy/steps/0", .required),
            (
                #"{"type": "canary", "steps": [{"pause": {}, "bakeTime": "1s"}]}"#, "",
                "/spec/strategy/steps/0/bakeTime", .conflict
            ),
            (
                #"{"type": "canary", "steps": [{"pause": {"duration": "0s"}}]}"#, "",
                "/spec/strategy/steps/0/pause/duration", .outOfRange
            ),
            (
                #"{"type": "canary", "steps": [{"setWeight": 1, "bakeTime": "-5s"}]}"#, "",
                "/spec/strategy/steps/0/bakeTime", .invalidFormat
            ),
            (
                #"{"type": "canary", "steps": [{"setWeight": 1, "bakeTime": "169h"}]}"#, "",
                "/spec/strategy/steps/0/bakeTime", .outOfRange
            ),
            (#"{"type": "canary", "steps": [{"setMatch": {}}]}"#, "", "/spec/strategy/steps/0/setMatch/any", .required),
            (
                #"{"type": "canary", "steps": [{"setMatch": {"any": [{}]}}]}"#, "",
                "/spec/strategy/steps/0/setMatch/any/0", .required
            ),
            (
                #"{"type": "canary", "steps": [{"setMirror": {"percentage": 101}}]}"#, "",
                "/spec/strategy/steps/0/setMirror/percentage", .outOfRange
            ),
            (
                #"{"type": "canary", "steps": [{"setMirror": {}}]}"#, "", "/spec/strategy/steps/0/setMirror/percentage",
                .required
            ),
            (
                #"{"type": "canary", "steps": [{"setMirror": {"percentage": 1, "methods": ["get"]}}]}"#, "",
                "/spec/strategy/steps/0/setMirror/methods/0", .invalidFormat
            ),
            (
                #"{"type": "canary", "steps": [{"setMirror": {"percentage": 1, "methods": ["GET", "GET"]}}]}"#, "",
                "/spec/strategy/steps/0/setMirror/methods/1", .duplicate
            ),
            (
                #"{"type": "canary", "steps": [{"analysis": {"templates": []}}]}"#, "",
                "/spec/strategy/steps/0/analysis/templates", .required
            ),
            (
                #"{"type": "canary", "steps": [{"analysis": {"templates": ["a/b"]}}]}"#, "",
                "/spec/strategy/steps/0/analysis/templates/0", .invalidFormat
            ),
            (
                #"{"type": "canary", "steps": [{"analysis": {}, "bakeTime": "1s"}]}"#, "",
                "/spec/strategy/steps/0/bakeTime", .conflict
            ),
            (
                #"{"type": "canary", "steps": [{"approval": {"onTimeout": "pause"}}]}"#, "",
                "/spec/strategy/steps/0/approval/onTimeout", .conflict
            ),
            (
                #"{"type": "canary", "steps": [{"approval": {"requiredApprovals": 21}}]}"#, "",
                "/spec/strategy/steps/0/approval/requiredApprovals", .outOfRange
            ),
            (
                #"{"type": "canary", "steps": [{"approval": {}, "bakeTime": "1s"}]}"#, "",
                "/spec/strategy/steps/0/bakeTime", .conflict
            ),
            (#"{"type": "canary", "steps": [{"webhook": {}}]}"#, "", "/spec/strategy/steps/0/webhook/url", .required),
            (
                #"{"type": "canary", "steps": [{"webhook": {"url": "https://a", "successCodes": [99]}}]}"#, "",
                "/spec/strategy/steps/0/webhook/successCodes/0", .outOfRange
            ),
            (
                #"{"type": "canary", "steps": [{"notify": {"channels": [], "message": "m"}}]}"#, "",
                "/spec/strategy/steps/0/notify/channels", .required
            ),
            (
                #"{"type": "canary", "steps": [{"checkEndpoints": {"ratio": 11}}]}"#, "",
                "/spec/strategy/steps/0/checkEndpoints/ratio", .outOfRange
            ),
            (
                #"{"type": "canary", "backgroundAnalysis": {"startingStep": 9}}"#, "",
                "/spec/strategy/backgroundAnalysis/startingStep", .unknownReference
            ),
            (
                #"{"type": "canary", "backgroundAnalysis": {"startingStep": true}}"#, "",
                "/spec/strategy/backgroundAnalysis/startingStep", .wrongType
            ),
            (
                #"{"type": "canary", "trafficRouting": {"protocol": "udp"}}"#, "",
                "/spec/strategy/trafficRouting/protocol", .unsupported
            ),
            (
                #"{"type": "canary", "trafficRouting": {"scope": {"gateways": ["ingress"]}}}"#, "",
                "/spec/strategy/trafficRouting/scope/gateways/0", .unsupported
            ),
            (
                #"{"type": "canary", "trafficRouting": {"scope": {"paths": []}}}"#, "",
                "/spec/strategy/trafficRouting/scope/paths", .required
            ),
            (
                #"{"type": "canary", "trafficRouting": {"scope": {"paths": [{"prefix": "x"}]}}}"#, "",
                "/spec/strategy/trafficRouting/scope/paths/0", .invalidValue
            ),
            (
                #"{"type": "canary", "trafficRouting": {"endpointGuard": {"minReady": 0}}}"#, "",
                "/spec/strategy/trafficRouting/endpointGuard/minReady", .outOfRange
            ),
            (
                #"{"type": "canary", "trafficRouting": {"endpointGuard": {"capacityRatio": 1e300}}}"#, "",
                "/spec/strategy/trafficRouting/endpointGuard/capacityRatio", .outOfRange
            ),
            (
                #"{"type": "canary", "trafficRouting": {"applyTimeout": "0s"}}"#, "",
                "/spec/strategy/trafficRouting/applyTimeout", .outOfRange
            ),
            (
                #"{"type": "canary", "trafficRouting": {"maxStragglers": -1}}"#, "",
                "/spec/strategy/trafficRouting/maxStragglers", .outOfRange
            ),
            (
                #"{"type": "canary", "trafficRouting": {"onApplyTimeout": "wait"}}"#, "",
                "/spec/strategy/trafficRouting/onApplyTimeout", .invalidValue
            ),
            (#"{"type": "canary"}"#, #""port": 0"#, "/spec/port", .outOfRange),
            (#"{"type": "canary"}"#, #""progressDeadline": "25h""#, "/spec/progressDeadline", .outOfRange),
            (#"{"type": "canary"}"#, #""retainStable": "soon""#, "/spec/retainStable", .invalidFormat),
            (
                #"{"type": "canary"}"#, #""rollbackWindow": {"revisions": 3}"#, "/spec/rollbackWindow/revisions",
                .unsupported
            ),
            (
                #"{"type": "canary"}"#, #""notifications": [{"channel": "ops", "events": ["Nothing"]}]"#,
                "/spec/notifications/0/events/0", .invalidValue
            ),
            (
                #"{"type": "canary"}"#, #""notifications": [{"events": ["Paused"]}]"#,
                "/spec/notifications/0/channel", .required
            ),
            (#"{"type": "canary"}"#, #""supersedePolicy": "supersede""#, "/spec/supersedePolicy", .invalidValue),
            (
                #"{"type": "canary"}"#, #""failurePolicy": {"onError": "promote"}"#, "/spec/failurePolicy/onError",
                .invalidValue
            ),
            (
                #"{"type": "canary"}"#, #""failurePolicy": {"onFailed": "panic"}"#, "/spec/failurePolicy/onFailed",
                .invalidValue
            ),
            (#"{"type": "canary"}"#, #""schedule": {"startAt": "tomorrow"}"#, "/spec/schedule/startAt", .invalidFormat),
            (
                #"{"type": "canary"}"#, #""schedule": {"startAt": "2026-02-29T00:00:00Z"}"#, "/spec/schedule/startAt",
                .invalidFormat
            ),
            (
                #"{"type": "canary"}"#, #""schedule": {"respectFreezeWindows": 1}"#,
                "/spec/schedule/respectFreezeWindows", .wrongType
            ),
        ])
    func wrong(_ strategy: String, _ more: String, _ pointer: String, _ code: Violation.Code) throws {
        let (spec, log) = Self.read(try Self.document(strategy, more))
        #expect(spec == nil)
        #expect(log.violations.map(\.pointer.description) == [pointer])
        #expect(log.violations.map(\.code) == [code])
    }

    @Test("stable and canary must differ, and names are names")
    func versions() throws {
        let same = try JSON.parse(
            #"{"service": "a", "stable": {"version": "v1"}, "canary": {"version": "v1"}, "strategy": {"type": "canary"}}"#
        )
        #expect(Self.read(same).log.violations.map(\.code) == [.conflict])
        let bad = try JSON.parse(
            #"{"service": "A_B", "stable": {"version": ""}, "canary": {}, "strategy": {"type": "canary"}}"#)
        #expect(
            Set(Self.read(bad).log.violations.map(\.pointer.description)) == [
                "/spec/service", "/spec/stable/version", "/spec/canary/version",
            ])
    }

    @Test(
        "wrong types never pass",
        arguments: [
            "[]", "3", #""canary""#, #"{"type": 3}"#, #"{"type": "canary", "steps": {}}"#,
            #"{"type": "canary", "steps": [null]}"#, #"{"type": "canary", "steps": [[]]}"#,
            #"{"type": "canary", "steps": [{"setMatch": []}]}"#, #"{"type": "canary", "steps": [{"setMirror": 20}]}"#,
            #"{"type": "canary", "trafficRouting": []}"#,
        ])
    func wrongTypes(_ strategy: String) throws {
        let (spec, log) = Self.read(try Self.document(strategy))
        #expect(spec == nil)
        #expect(log.violations.contains { $0.code == .wrongType })
    }

    @Test("all violations of a plan come at once, and more steps than 100 are refused")
    func many() throws {
        let (_, log) = Self.read(
            try Self.document(#"{"type": "canary", "steps": [{"setWeight": -1}, {"pause": 3}, {"setmirror": {}}]}"#))
        #expect(log.violations.count == 3)
        #expect(log.unknownFields.map(\.pointer.description) == ["/spec/strategy/steps/2/setmirror"])
        let steps = Array(repeating: #"{"setWeight": 1}"#, count: 101).joined(separator: ",")
        let crowded = Self.read(try Self.document(#"{"type": "canary", "steps": [\#(steps)]}"#))
        #expect(crowded.log.violations.map(\.code) == [.tooMany])
    }

    @Test("a started release keeps everything but later steps and the failure policy")
    func immutability() throws {
        let scene = try Scene.started()
        func check(_ status: ReleaseStatus, _ change: (inout ReleaseSpec) -> Void) -> [String] {
            let log = ViolationLog()
            var spec = scene.spec
            change(&spec)
            spec.check(replacing: scene.spec, at: status, .root, log: log)
            return log.violations.map(\.pointer.description)
        }
        #expect(check(ReleaseStatus()) { $0.canary.version = Fixture.name("v9") } == [])
        #expect(check(scene.status) { _ in } == [])
        #expect(check(scene.status) { $0.onFailed = .pause } == [])
        #expect(check(scene.status) { $0.strategy.steps[1] = Fixture.weight(700) } == [])
        #expect(check(scene.status) { $0.strategy.steps[0] = Fixture.weight(700) } == ["/strategy"])
        #expect(check(scene.status) { $0.strategy.steps = [] } == ["/strategy"])
        #expect(check(scene.status) { $0.retainStable = .zero } == ["/retainStable"])
        let ended = try ReleaseVerbTests.scene(in: .succeeded)
        #expect(check(ended.status) { $0.onFailed = .pause } == [""])
        #expect(check(ended.status) { _ in } == [])
    }
}
