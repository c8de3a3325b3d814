import Documents
import MeshLab
import Testing

/// What each field of a release does, once it is started.
enum ReleaseFields {
    static let rows = sides + steps + matches + clients + scopes + stickiness + plans + guards + times

    /// A release from v1 to v2 that waits for a decision after its steps.
    private static func release(
        _ steps: [JSONValue], routing: JSONValue? = nil, _ more: [String: JSONValue] = [:], waits: Bool = true
    ) -> JSONValue {
        let strategy: JSONValue = .fields([
            "type": "canary", "steps": .array(waits ? steps + [["pause": [:]]] : steps), "trafficRouting": routing,
        ])
        let whole: [String: JSONValue] = [
            "service": "$host", "stable": ["version": "v1"], "canary": ["version": "v2"], "strategy": strategy,
        ]
        return .object(whole.merging(more) { $1 })
    }

    private static let all: JSONValue = ["setWeight": 10_000]
    private static let many = [Ask(times: 20)]

    // MARK: What is released

    private static let sides = [
        FieldRow("/spec/service", release([all]), against: "shared", asks: many, .only("v2")),
        FieldRow(
            "/spec/port", release([all], ["port": 9081]), against: 9080, in: .twoPorts,
            asks: [Ask(host: "$host:9081", times: 20)], .only("alt-v2")),
        FieldRow(
            "/spec/stable/version", release([["setWeight": 0]], ["stable": ["version": "v3"]]), against: "v1",
            asks: many, .only("v3")),
        FieldRow(
            "/spec/canary/version", release([all], ["canary": ["version": "v3"]]), against: "v2", asks: many,
            .only("v3")),
    ]

    // MARK: Steps

    private static let strategy = "/spec/strategy/"
    private static let first = strategy + "steps/0/"

    private static let steps = [
        FieldRow(first + "setWeight", release([all]), against: 0, asks: many, .only("v2")),
        FieldRow(
            first + "name", release([["name": "begin", "setWeight": 0, "bakeTime": "1h"]]),
            .release("its step is called begin") { $0["currentStep"]?["name"] == "begin" }),
        FieldRow(
            first + "bakeTime", release([["setWeight": 0, "bakeTime": "1h"], all]), asks: many, .only("v1")),
        FieldRow(first + "pause/duration", release([["pause": ["duration": "1s"]], all]), asks: many, .only("v2")),
        FieldRow(
            first + "setMirror/percentage", release([["setMirror": ["percentage": 100]]]), against: 0,
            asks: [Ask(times: 5)], .both(.only("v1"), .copies(at: "v2", 1...10_000))),
        FieldRow(
            first + "setMirror/methods", release([["setMirror": ["percentage": 100, "methods": ["POST"]]]]),
            asks: [Ask(method: "POST")], .copies(at: "v2", 1...10_000)),
    ]

    private static let matches =
        texts(
            "path", ("exact", "/a", Ask("/a"), Ask("/ab")), ("prefix", "/a", Ask("/ab"), Ask("/b")),
            ("regex", "/a+", Ask("/aa"), Ask("/aab")))
        + texts(
            "headers/x-a", ("exact", "b", Ask("/", ["x-a": "b"]), Ask("/", ["x-a": "bc"])),
            ("prefix", "b", Ask("/", ["x-a": "bc"]), Ask("/", ["x-a": "cb"])),
            ("regex", "b+", Ask("/", ["x-a": "bb"]), Ask("/", ["x-a": "bbc"])))
        + texts(
            "cookies/x-a", ("exact", "b", cookie("x-a=b"), cookie("x-a=bc; x-b=b")),
            ("prefix", "b", cookie("x-c=d; x-a=bc"), cookie("x-a=cb")),
            ("regex", "b+", cookie("x-a=bb"), cookie("x-a=bbc")))
        + texts(
            "queryParams/x-a", ("exact", "b", Ask("/?x-a=b"), Ask("/?x-a=bc")),
            ("prefix", "b", Ask("/?x-a=bc"), Ask("/?x-a=cb")), ("regex", "b+", Ask("/?x-a=bb"), Ask("/?x-a=bbc")))

    private static let clients = [("os", "ios", "windows"), ("browser", "safari", "firefox")].map {
        field, value, other in
        FieldRow(
            first + "setMatch/any/0/client/\(field)",
            release([["setMatch": ["any": [["client": .object([field: [.string(value)]])]]]]]),
            against: [.string(other)],
            asks: [
                Ask(
                    "/",
                    [
                        "user-agent":
                            "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
                            + "Version/18.1 Mobile/15E148 Safari/604.1"
                    ]), Ask("/", ["user-agent": "curl/8.5.0"]),
            ], .versions("v2", "v1"))
    }

    private static func cookie(_ text: String) -> Ask { Ask("/", ["cookie": text]) }

    private static func texts(_ place: String, _ texts: (kind: String, text: String, fits: Ask, other: Ask)...)
        -> [FieldRow]
    {
        texts.map { kind, text, fits, other in
            let names = place.split(separator: "/").map(String.init)
            let condition = names.reversed().reduce(JSONValue.object([kind: .string(text)])) { .object([$1: $0]) }
            // One more, so that it still is a condition without the field.
            let spec = release([["setMatch": ["any": [condition]]]])
            return FieldRow(
                first + "setMatch/any/0/\(place)/\(kind)", spec, against: "/none", asks: [fits, other],
                .versions("v2", "v1"))
        }
    }

    // MARK: Where it holds

    private static let scopes =
        [("exact", "/a", Ask("/a")), ("prefix", "/a", Ask("/ab")), ("regex", "/a+", Ask("/aa"))].map(path) + [
            FieldRow(
                strategy + "trafficRouting/scope/rules",
                release([all], routing: ["scope": ["rules": ["first"]]]), beside: twoRules,
                asks: [Ask("/a"), Ask("/b")], .versions("v2", "v1")),
            FieldRow(
                strategy + "trafficRouting/scope/ports", release([all], routing: ["scope": ["ports": [9081]]]),
                in: .twoPorts, asks: [Ask(host: "$host:9081"), Ask()], .versions("alt-v2", "v1")),
            FieldRow(
                "/spec/promotion/unsplit",
                release(
                    [all], routing: ["scope": ["rules": ["first"]]],
                    ["promotion": ["unsplit": "move"], "retainStable": "0s"], waits: false), beside: twoRules,
                phase("Succeeded")),
        ]

    private static func path(_ kind: String, _ text: String, _ ask: Ask) -> FieldRow {
        FieldRow(
            strategy + "trafficRouting/scope/paths/0/\(kind)",
            release([all], routing: ["scope": ["paths": [.object([kind: .string(text)])]]]), against: "/none",
            asks: [ask, Ask("/b", times: 9)],
            Expectation("what is in its scope goes to v2, and not all else") { seen in
                seen.answers[0].version == "v2" && !seen.answers.dropFirst().allSatisfy { $0.version == "v2" }
            })
    }

    private static let twoRules: (collection: String, spec: JSONValue) = (
        "virtualServices",
        [
            "hosts": ["$host"],
            "http": [
                [
                    "name": "first", "match": [["uri": ["prefix": "/a"]]],
                    "route": [["destination": ["host": "$host", "subset": "v1"]]],
                ], ["route": [["destination": ["host": "$host", "subset": "v1"]]]],
            ],
        ]
    )

    // MARK: Who stays where

    private static let sticky = strategy + "trafficRouting/stickiness/"

    private static func sticky(_ source: JSONValue, fallback: JSONValue? = nil) -> JSONValue {
        release([["setWeight": 5000]], routing: ["stickiness": .fields(["source": source, "fallback": fallback])])
    }

    private static let stickiness = [
        FieldRow(
            sticky + "source/header", sticky(["header": "x-user"]), against: "x-else",
            asks: [Ask("/", ["x-user": "ann"], times: 20)], .oneEndpoint),
        FieldRow(
            sticky + "source/cookie/name", sticky(["cookie": ["name": "user"]]), against: "else",
            asks: [Ask("/", ["cookie": "user=ann"], times: 20)], .oneEndpoint),
        FieldRow(
            sticky + "source/cookie/ttl", sticky(["cookie": ["name": "user", "ttl": "60s"]]),
            .answered("set-cookie", has: "Max-Age=60")),
        FieldRow(
            sticky + "source/sourceAddress", sticky(["sourceAddress": true]), without: sticky(["header": "x-user"]),
            asks: many, .oneEndpoint),
        FieldRow(
            sticky + "fallback/cookie/name", sticky(["header": "x-user"], fallback: ["cookie": ["name": "user"]]),
            against: "else", asks: [Ask("/", ["cookie": "user=ann"], times: 20)], .oneEndpoint),
        FieldRow(
            sticky + "fallback/cookie/ttl",
            sticky(["header": "x-user"], fallback: ["cookie": ["name": "user", "ttl": "60s"]]),
            .answered("set-cookie", has: "user=")),
    ]

    // MARK: Plans made up for a type

    private static let plans = [
        FieldRow(
            strategy + "type",
            release([], ["strategy": ["type": "blueGreen"]]), against: "canary",
            .release("it waits for a decision") { $0["phase"] == "Paused" }),
        FieldRow(
            strategy + "match/any",
            release([], ["strategy": ["type": "abTest", "match": ["any": [["headers": ["x-a": ["exact": "b"]]]]]]]),
            against: [["headers": ["x-a": ["exact": "c"]]]], asks: [Ask("/", ["x-a": "b"])], .only("v2")),
    ]

    // MARK: When it may go on

    private static let routing = strategy + "trafficRouting/"

    private static func phase(_ phase: String) -> Expectation {
        .release("its phase is \(phase)") { $0["phase"] == .string(phase) }
    }

    private static let notThere = Expectation.release("it waits for endpoints") {
        $0["phase"] != "Paused" && $0["blockedOn"]?.arrayValue?.isEmpty == false
    }

    private static let guards = [
        FieldRow(
            routing + "endpointGuard/minReady", release([all], routing: ["endpointGuard": ["minReady": 5]]), notThere),
        FieldRow(
            routing + "endpointGuard/capacityRatio", release([all], routing: ["endpointGuard": ["capacityRatio": 5]]),
            notThere),
        FieldRow(
            routing + "endpointGuard/onCanaryUnavailable",
            release([["setWeight": 5000]], routing: ["endpointGuard": ["onCanaryUnavailable": "hold"]]),
            deed: ("endpoints/v2", ["health": "unhealthy"]), phase("Progressing")),
        FieldRow(
            "/spec/failurePolicy/onFailed",
            release(
                [all], routing: ["endpointGuard": ["minReady": 5]],
                ["failurePolicy": ["onFailed": "pause"], "progressDeadline": "2s"]), phase("Paused")),
        FieldRow(
            "/spec/progressDeadline",
            release([all], routing: ["endpointGuard": ["minReady": 5]], ["progressDeadline": "2s"]),
            phase("RolledBack")),
    ]

    private static let times = [
        FieldRow(
            "/spec/retainStable", release([all], ["retainStable": "1h"], waits: false), against: "0s",
            phase("Finalizing")),
        FieldRow(
            "/spec/schedule/startAt", release([all], ["schedule": ["startAt": "2099-01-01T00:00:00Z"]]),
            .release("it has not begun") { $0["phase"] == "Pending" }),
    ]

    static let fixed = [
        FixedField(
            routing + "stickiness/mode",
            release([all], routing: ["stickiness": ["mode": "hash", "source": ["header": "x-user"]]]), refuses: "random"
        ),
        FixedField(
            routing + "protocol", release([all], routing: ["protocol": "http"]), refuses: "grpc"),
        FixedField(
            routing + "scope/gateways", release([all], routing: ["scope": ["gateways": ["mesh"]]]), refuses: ["edge"]),
        FixedField(
            "/spec/failurePolicy/rollback/mode", release([all], ["failurePolicy": ["rollback": ["mode": "immediate"]]]),
            refuses: "slow"),
    ]

    /// Fields that act on no request by themselves.
    ///
    /// A selector must agree with the labels of its version, which is looked at when the release is written
    /// (`ReleaseSelectorTests`). How long proxies are waited for that do not answer shows with a proxy that does not, which all
    /// releases of this mesh would have to wait for (`BarrierTests`).
    static let elsewhere = [
        // What is measured, and what follows: AnalysisTests, ProviderTests, and ReleaseAnalysisTests.
        "/spec/strategy/steps/*/analysis/templates", "/spec/strategy/steps/*/analysis/args",
        "/spec/strategy/backgroundAnalysis/templates", "/spec/strategy/backgroundAnalysis/args",
        "/spec/strategy/backgroundAnalysis/startingStep", "/spec/strategy/postPromotionAnalysis/templates",
        "/spec/strategy/postPromotionAnalysis/args", "/spec/failurePolicy/onError",
        "/spec/failurePolicy/onInconclusive", "/spec/failurePolicy/errorEscalation/after",
        "/spec/failurePolicy/errorEscalation/action",
        // Who is told: NotificationTests.
        "/spec/notifications/*/channel", "/spec/notifications/*/events", "/spec/notifications/*/minSeverity",
        "/spec/strategy/steps/*/notify/channels", "/spec/strategy/steps/*/notify/message",
        // Who and what is waited for: GateTests, ReleaseGateTests and ReleasePeopleTests.
        "/spec/strategy/steps/*/approval/name", "/spec/strategy/steps/*/approval/requiredApprovals",
        "/spec/strategy/steps/*/approval/roles", "/spec/strategy/steps/*/approval/excludeCreator",
        "/spec/strategy/steps/*/approval/timeout", "/spec/strategy/steps/*/approval/onTimeout",
        "/spec/strategy/steps/*/webhook/url", "/spec/strategy/steps/*/webhook/timeout",
        "/spec/strategy/steps/*/webhook/successCodes", "/spec/strategy/steps/*/webhook/retry/maxAttempts",
        "/spec/strategy/steps/*/webhook/retry/backoff", "/spec/strategy/steps/*/webhook/secret/secretRef/name",
        "/spec/strategy/steps/*/webhook/secret/secretRef/key", "/spec/strategy/steps/*/webhook/args",
        "/spec/strategy/steps/*/checkEndpoints/minReady", "/spec/strategy/steps/*/checkEndpoints/ratio",
        "/spec/strategy/steps/*/checkEndpoints/for", "/spec/schedule/respectFreezeWindows", "/spec/supersedePolicy",
        "/spec/rollbackWindow/duration",
        "/spec/stable/selector", "/spec/canary/selector", "/spec/strategy/trafficRouting/applyTimeout",
        "/spec/strategy/trafficRouting/maxStragglers", "/spec/strategy/trafficRouting/onApplyTimeout",
    ]

    // MARK: What there is

    /// The fields that want a row of their own; the condition of the short form is read as a step's.
    static func counted(_ fields: Set<String>) -> Set<String> {
        Set(fields.map { $0.hasPrefix("/spec/strategy/match/any/") ? "/spec/strategy/match/any" : $0 })
    }
}
