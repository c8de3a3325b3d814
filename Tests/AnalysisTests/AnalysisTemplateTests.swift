import Analysis
import Documents
import MeshCore
import TestSupport
import Testing

@Suite("Templates of analyses")
struct AnalysisTemplateTests {
    static let share: JSONValue = [
        "name": "success", "provider": ["builtin": "request-success-rate"], "successCondition": "result >= 0.99",
    ]

    static let golden: JSONValue = [
        "args": [["name": "p99ms", "value": "300"], ["name": "route"]],
        "metrics": [
            [
                "name": "success-rate", "provider": ["builtin": "request-success-rate"], "interval": "30s", "count": 10,
                "initialDelay": "30s", "failureCondition": "result < 0.99", "successCondition": "result >= 0.995",
                "failureLimit": 2, "inconclusiveLimit": 3, "consecutiveErrorLimit": 4, "minSamples": 600,
                "onNoData": "inconclusive", "sources": ["web", "shop/web"], "baseline": "stable",
            ],
            [
                "name": "p99",
                "provider": [
                    "prometheus": [
                        "ref": "prom-main",
                        "query": "histogram_quantile(0.99, x{route=\"{{args.route}}\"}[{{window}}]) > {{args.p99ms}}",
                    ]
                ],
                "thresholdRange": ["max": "{{args.p99ms}}"], "interval": "1m", "dryRun": true,
            ],
            [
                "name": "queue",
                "provider": [
                    "httpJson": [
                        "ref": "metrics", "path": "/v1/{{args.route}}/depth", "query": "from={{start}}&to={{end}}",
                        "pointer": "/data/0",
                    ]
                ],
                "successCondition": "default(result, 0) < {{args.p99ms}}",
            ],
            [
                "name": "judge",
                "judge": [
                    "type": "mannWhitney", "confidence": .number(0.98), "tolerance": .number(0.25),
                    "direction": "increase",
                    "effectSize": [
                        "measure": "meanRatio", "allowedIncrease": .number(1.1), "criticalIncrease": .number(1.5),
                    ],
                    "critical": true, "nanStrategy": "remove", "outliers": ["strategy": "keep"], "minSamples": 20,
                ], "series": ["builtin": "request-duration-p95"], "groups": ["latency"],
            ],
        ], "scoring": ["groupWeights": ["latency": 100], "thresholds": ["pass": 90, "marginal": 75]],
    ]

    /// A wrong document: what is changed of a right one, where that is reported and as what.
    struct Row: Sendable {
        var changes: [String: JSONValue]
        var pointer: String
        var code: Violation.Code

        init(_ changes: [String: JSONValue], _ pointer: String, _ code: Violation.Code) {
            self.changes = changes
            self.pointer = pointer
            self.code = code
        }
    }

    private func read(_ document: JSONValue) -> (spec: AnalysisTemplateSpec?, log: ViolationLog) {
        let log = ViolationLog()
        return (AnalysisTemplateSpec.read(document, at: JSONPointer(["spec"]), log: log), log)
    }

    /// A template of the one metric, with members replaced; `null` leaves one out.
    private func metric(_ changes: [String: JSONValue], of base: JSONValue = share) -> JSONValue {
        let members = (base.objectValue ?? [:]).merging(changes) { $1 }.filter { $0.value != .null }
        return ["metrics": [.object(members)]]
    }

    @Test func readsAndWrites() throws {
        let (spec, log) = read(Self.golden)
        #expect(log.violationsAndUnknownFields.isEmpty, "\(log.violationsAndUnknownFields)")
        #expect(log.warnings.isEmpty)
        let template = try #require(spec)
        let (again, logAgain) = read(template.json)
        #expect(again == template)
        #expect(logAgain.warningsAndUnknownFields.isEmpty)
        #expect(again?.json == template.json)
        #expect(template.metrics.count == 4)
        #expect(template.scoring.groupWeights == ["latency": 100])
    }

    @Test func hasDefaults() throws {
        let spec = try #require(read(metric([:])).spec)
        let metric = spec.metrics[0]
        #expect(metric.interval == .seconds(30))
        #expect(metric.samplesNeeded == 300)
        #expect(metric.longestWindow == .seconds(300))
        #expect(metric.failuresAllowed(inBackground: true) == 0)
        #expect(metric.measurementsWanted(inBackground: false) == 1)
        #expect(metric.measurementsWanted(inBackground: true) == nil)
        #expect(metric.consecutiveErrorLimit == 4)
        #expect(!metric.isComparing)
        #expect((spec.scoring.pass, spec.scoring.marginal) == (90, 75))
        let judge = try #require(read(Self.golden).spec?.metrics[3])
        #expect(judge.isComparing)
        #expect(judge.samplesNeeded == 20)
        #expect(judge.failuresAllowed(inBackground: true) == 1)
        #expect(judge.failuresAllowed(inBackground: false) == 0)
        #expect(judge.longestWindow == .seconds(300))
        var patient = judge
        patient.source = .judge(JudgeOptions())
        patient.interval = .seconds(10)
        #expect(patient.longestWindow == .seconds(200))
        patient.interval = .seconds(1800)
        #expect(patient.longestWindow == .seconds(1800))
    }

    @Test(
        arguments: [
            (["successCondition": "result >= 0.99"], 300), (["successCondition": "result > 0.9"], 30),
            (["successCondition": "0.99 <= result"], 300), (["successCondition": "result >= 0.5"], 20),
            (["successCondition": "result >= 0.99 && result <= 1"], 300),
            (["successCondition": "result >= 0.99 && result >= 0.9"], 20),
            (["successCondition": "result >= 0.99 || result >= 0.9"], 20), (["successCondition": "result >= 1"], 20),
            (["successCondition": "result >= 0.999999999"], 1_000_000),
            (["successCondition": nil, "failureCondition": "result < 0.98"], 150),
            (["successCondition": nil, "thresholdRange": ["min": .number(0.97)]], 100),
            (["successCondition": nil, "thresholdRange": ["max": .number(0.97)]], 20),
            (
                ["provider": ["builtin": "slow-request-ratio", "over": "250ms"], "successCondition": "result < 0.05"],
                60
            ),
            (["provider": ["builtin": "request-duration-p99"], "successCondition": "result >= 0.99"], 20),
            (["minSamples": 5000], 5000), (["successCondition": "result >= {{args.x}}"], 20),
        ] as [([String: JSONValue], Int)])
    func knowsHowManyRequestsAreEnough(_ changes: [String: JSONValue], _ expected: Int) throws {
        let log = ViolationLog()
        var document = metric(changes).objectValue ?? [:]
        document["args"] = [["name": "x"]]
        let spec = try #require(AnalysisTemplateSpec.read(.object(document), at: .root, log: log))
        #expect(spec.metrics[0].samplesNeeded == expected)
        #expect(log.warnings.isEmpty)
    }

    @Test(arguments: [(50, "22.2 %"), (299, "300 are enough"), (20, "9.5 %"), (1, "0.5 %")])
    func warnsOfTooFewRequests(_ count: Int, _ part: String) {
        let warnings = read(metric(["minSamples": .integer(Int64(count))])).log.warnings
        #expect(warnings.map(\.pointer.description) == ["/spec/metrics/0/minSamples"])
        #expect(warnings.first?.detail.contains(part) == true, "\(warnings)")
    }

    @Test(
        arguments: [
            ("10s", "10s"), ("11s", "20s"), ("25s", "30s"), ("1m", "1m"), ("30m", "30m"), ("10.5s", "20s"),
            ("10.0001s", "20s"),
        ])
    func roundsIntervals(_ given: String, _ interval: String) {
        #expect(read(metric(["interval": .string(given)])).spec?.metrics[0].interval.text == interval)
    }

    private static let refusesRows: [Row] = [
        Row(["successCondition": nil], "", .required),
        Row(["successCondition": ""], "/successCondition", .invalidFormat),
        Row(["successCondition": "result >"], "/successCondition", .invalidFormat),
        Row(["successCondition": "result > baseline"], "/successCondition", .invalidFormat),
        Row(["successCondition": "result > {{window}}"], "/successCondition", .invalidFormat),
        Row(["failureCondition": "result > {{args.x}}"], "/failureCondition", .unknownReference),
        Row(["failureCondition": "result > {{x}}"], "/failureCondition", .invalidFormat),
        Row(["failureCondition": "result > {{args.x"], "/failureCondition", .invalidFormat),
        Row(["thresholdRange": ["min": 1]], "/successCondition", .conflict),
        Row(["thresholdRange": [:], "successCondition": nil], "/thresholdRange", .required),
        Row(["thresholdRange": ["min": 2, "max": 1], "successCondition": nil], "/thresholdRange/min", .conflict),
        Row(["thresholdRange": ["min": "x"], "successCondition": nil], "/thresholdRange/min", .invalidFormat),
        Row(["thresholdRange": ["min": true], "successCondition": nil], "/thresholdRange/min", .wrongType),
        Row(["interval": "9s"], "/interval", .outOfRange), Row(["interval": "31m"], "/interval", .outOfRange),
        Row(["interval": "1m", "maxWindow": "30s"], "/maxWindow", .conflict),
        Row(["maxWindow": "31m"], "/maxWindow", .outOfRange), Row(["minSamples": 0], "/minSamples", .outOfRange),
        Row(["count": 0], "/count", .outOfRange), Row(["failureLimit": -2], "/failureLimit", .outOfRange),
        Row(["count": 2, "consecutiveSuccessLimit": 3], "/consecutiveSuccessLimit", .conflict),
        Row(["onNoData": "ignore"], "/onNoData", .invalidValue),
        Row(["baseline": "canary"], "/baseline", .invalidValue),
        Row(["sources": ["a/b/c"]], "/sources/0", .invalidFormat),
        Row(["sources": ["A"]], "/sources/0", .invalidFormat),
        Row(["name": "Success"], "/name", .invalidFormat), Row(["groups": ["a"]], "/groups", .conflict),
        Row(["series": ["builtin": "request-rate"]], "/series", .conflict),
        Row(["provider": ["builtin": "x"]], "/provider/builtin", .invalidValue),
        Row(["provider": ["builtin": "slow-request-ratio"]], "/provider/over", .required),
        Row(["provider": ["builtin": "request-rate", "over": "250ms"]], "/provider/over", .conflict),
        Row(["provider": [:]], "/provider", .required),
        Row(["provider": nil], "", .required),
        Row(["judge": [:], "series": ["builtin": "request-rate"]], "", .conflict),
        Row(
            ["provider": ["builtin": "request-rate", "prometheus": ["ref": "a", "query": "b"]]], "/provider",
            .conflict
        ),
        Row(
            ["provider": ["prometheus": ["ref": "p", "query": "{{x}}"]]], "/provider/prometheus/query", .invalidFormat),
        Row(["provider": ["prometheus": ["ref": "p", "query": ""]]], "/provider/prometheus/query", .required),
        Row(
            ["provider": ["prometheus": ["ref": "p", "query": .string(String(repeating: "x", count: 4097))]]],
            "/provider/prometheus/query", .tooLong
        ),
        Row(["provider": ["prometheus": ["ref": "p", "query": "a"]], "minSamples": 5], "/minSamples", .conflict),
        Row(["provider": ["prometheus": ["ref": "p", "query": "a"]], "baseline": "stable"], "/baseline", .conflict),
        Row(["provider": ["prometheus": ["ref": "p", "query": "a"]], "interval": "4s"], "/interval", .outOfRange),
        Row(
            ["provider": ["httpJson": ["ref": "p", "path": "a", "pointer": ""]]], "/provider/httpJson/path",
            .invalidFormat
        ),
        Row(
            ["provider": ["httpJson": ["ref": "p", "path": "/a/%2E./b", "pointer": ""]]], "/provider/httpJson/path",
            .invalidFormat
        ),
        Row(
            ["provider": ["httpJson": ["ref": "p", "path": "/a b", "pointer": ""]]], "/provider/httpJson/path",
            .invalidFormat
        ),
        Row(
            ["provider": ["httpJson": ["ref": "p", "path": "/", "query": "a#b", "pointer": ""]]],
            "/provider/httpJson/query", .invalidFormat
        ),
        Row(
            ["provider": ["httpJson": ["ref": "p", "path": "/", "pointer": "a"]]], "/provider/httpJson/pointer",
            .invalidFormat
        ),
        Row(
            ["provider": ["httpJson": ["ref": "p", "path": "/", "pointer": "/~2"]]], "/provider/httpJson/pointer",
            .invalidFormat
        ),
    ]

    @Test(arguments: refusesRows)
    func refuses(_ row: Row) {
        let (spec, log) = read(metric(row.changes))
        #expect(spec == nil)
        #expect(log.violations.map(\.pointer.description) == ["/spec/metrics/0\(row.pointer)"], "\(log.violations)")
        #expect(log.violations.map(\.code) == [row.code])
    }

    private static let refusesJudgesRows: [Row] = [
        Row(["judge": ["confidence": .number(0.999), "minSamples": 5]], "/judge/minSamples", .conflict),
        Row(["judge": ["confidence": .number(0.4)]], "/judge/confidence", .outOfRange),
        Row(["judge": ["minSamples": 4]], "/judge/minSamples", .outOfRange),
        Row(["judge": ["type": "student"]], "/judge/type", .unsupported),
        Row(["judge": ["minSamples": 200]], "/judge", .conflict),
        Row(["maxWindow": "1m"], "/maxWindow", .conflict), Row(["series": nil], "/series", .required),
        Row(["successCondition": "result > 1"], "/successCondition", .conflict),
        Row(["minSamples": 30], "/minSamples", .conflict),
        Row(
            ["judge": ["effectSize": ["allowedDecrease": .number(0.8), "criticalDecrease": .number(0.9)]]],
            "/judge/effectSize/criticalDecrease", .conflict),
        Row(["judge": ["outliers": ["strategy": "x"]]], "/judge/outliers/strategy", .invalidValue),
        Row(
            ["judge": ["effectSize": ["measure": "cles", "allowedIncrease": .number(1.1)]]],
            "/judge/effectSize/allowedIncrease", .outOfRange
        ),
        Row(
            ["judge": ["effectSize": ["allowedIncrease": .number(1.5), "criticalIncrease": .number(1.2)]]],
            "/judge/effectSize/criticalIncrease", .conflict
        ),
    ]

    @Test(arguments: refusesJudgesRows)
    func refusesJudges(_ row: Row) {
        let base: JSONValue = ["name": "judge", "judge": [:], "series": ["builtin": "request-duration-mean"]]
        #expect(read(metric([:], of: base)).spec != nil)
        let (spec, log) = read(metric(row.changes, of: base))
        #expect(spec == nil)
        #expect(log.violations.map(\.pointer.description) == ["/spec/metrics/0\(row.pointer)"], "\(log.violations)")
        #expect(log.violations.map(\.code) == [row.code])
    }

    /// A metric with an argument that nobody declares.
    private static let stranger: JSONValue = [
        "name": "b", "provider": ["builtin": "request-rate"], "successCondition": "result > {{args.x}}",
    ]
    private static let judged: JSONValue = [
        "name": "c", "judge": [:], "series": ["builtin": "request-rate"], "groups": ["a"],
    ]
    private static let manyGroups = Dictionary(
        (0...20).map { ("g\($0)", JSONValue.integer(1)) }, uniquingKeysWith: { first, _ in first })

    private static let refusesTemplatesRows: [Row] = [
        Row(["metrics": []], "/metrics", .required), Row(["metrics": nil], "/metrics", .required),
        Row(["metrics": .array(Array(repeating: share, count: 21))], "/metrics", .tooMany),
        Row(["metrics": [share, share]], "/metrics/1/name", .duplicate),
        Row(["args": [["name": "1x"]]], "/args/0/name", .invalidFormat),
        Row(["args": [["name": "a"], ["name": "a"]]], "/args/1/name", .duplicate),
        Row(
            ["args": [["name": "a", "value": .string(String(repeating: "é", count: 300))]]], "/args/0/value",
            .tooLong
        ),
        Row(
            [
                "metrics": [
                    ["name": "A", "provider": ["builtin": "request-rate"], "thresholdRange": ["min": 1]], stranger,
                ]
            ],
            "/metrics/0/name", .invalidFormat),
        Row(["metrics": [stranger]], "/metrics/0/successCondition", .unknownReference),
        Row(["metrics": [judged], "scoring": ["groupWeights": ["a": 50]]], "/scoring/groupWeights", .outOfRange),
        Row(["scoring": ["groupWeights": .object(manyGroups)]], "/scoring/groupWeights", .tooMany),
        Row(["scoring": ["groupWeights": ["x": 50]]], "/scoring/groupWeights/x", .unknownReference),
        Row(["scoring": ["groupWeights": ["x": 60, "y": 60]]], "/scoring/groupWeights", .outOfRange),
        Row(["scoring": ["thresholds": ["pass": 50]]], "/scoring/thresholds/marginal", .conflict),
    ]

    @Test(arguments: refusesTemplatesRows)
    func refusesTemplates(_ row: Row) {
        let document = ["metrics": [Self.share]].merging(row.changes) { $1 }.filter { $0.value != .null }
        let (spec, log) = read(.object(document))
        #expect(spec == nil)
        #expect(log.violations.map(\.pointer.description) == ["/spec\(row.pointer)"], "\(log.violations)")
        #expect(log.violations.map(\.code) == [row.code])
    }

    @Test func namesTheNearestBounds() {
        let provider: JSONValue = ["builtin": "slow-request-ratio", "over": "300ms"]
        let violations = read(metric(["provider": provider])).log.violations
        #expect(violations.map(\.choices) == [["250ms", "320ms"]])
        #expect(violations.first?.detail.hasSuffix("the nearest are 250ms and 320ms") == true)
        let between: JSONValue = ["builtin": "slow-request-ratio", "over": "1500us"]
        #expect(read(metric(["provider": between])).log.violations.map(\.choices) == [["1ms", "2ms"]])
    }

    @Test func knowsTheFiguresOfTheServer() {
        let names = [
            "request-success-rate", "attempt-success-rate", "request-duration-p50", "request-duration-p95",
            "request-duration-p99", "request-duration-mean", "slow-request-ratio", "request-rate",
        ]
        #expect(BuiltinMetric.allCases.map(\.rawValue) == names)
        #expect(BuiltinMetric.allCases.compactMap(\.quantile) == [0.5, 0.95, 0.99])
        #expect(BuiltinMetric.allCases.filter(\.isRatio).count == 3)
    }

    @Test func hasASchema() {
        let names = AnalysisTemplateSpec.schema.members.map(\.name)
        #expect(names == ["args", "metrics", "scoring"])
        #expect(AnalysisMetric.schema.members.count == 21)
        #expect(AnalysisMetric.schema.alternatives.map(\.names) == [["provider", "judge"]])
    }

    @Test(arguments: BuiltinTemplates.all.keys.sorted())
    func hasBuiltinTemplates(_ name: String) throws {
        let template = try #require(BuiltinTemplates.all[name])
        let (spec, log) = read(template.json)
        #expect(log.violationsAndUnknownFields.isEmpty)
        #expect(log.warnings.isEmpty)
        #expect(spec == template)
        #expect(template.resolved(with: [:], at: .root, log: log) == template)
        #expect(BuiltinTemplates.all[BuiltinTemplates.standard] != nil)
    }

    /// Documents with parts replaced by parts of other kinds, or left out.
    @Test func survivesAnyDocument() {
        var random = SeededGenerator(seed: 11)
        let scraps: [JSONValue] = [
            nil, true, -1, 0, 1, .number(1e300), "", "x", "{{args.p99ms}}", "{{", "10s", "99999h", [], [:], [[:]],
            "result > 1",
            "-0", .integer(.max), .integer(.min), .number(.nan), .number(.infinity), ["builtin": "slow-request-ratio"],
        ]
        func spoil(_ value: JSONValue) -> JSONValue {
            if random.chance(4) { return scraps[Int.random(in: 0..<scraps.count, using: &random)] }
            switch value {
            case .array(let elements): return .array(elements.map(spoil))
            case .object(let members):
                let sorted = members.sorted { $0.key < $1.key }
                return .object(Dictionary(sorted.map { ($0.key, spoil($0.value)) }, uniquingKeysWith: { $1 }))
            default: return value
            }
        }
        var valid = 0
        for _ in 0..<LongRun.count("SLUICE_FUZZ_RUNS", else: 3000) {
            let (spec, log) = read(spoil(Self.golden))
            guard let spec else { continue }
            #expect(log.violations.isEmpty)
            valid += 1
            #expect(read(spec.json).spec == spec)
            _ = spec.resolved(with: ["p99ms": "1", "route": "x"], at: .root, log: log)
            for metric in spec.metrics { _ = (metric.samplesNeeded, metric.longestWindow) }
        }
        #expect(valid > 10)
    }
}
