import Analysis
import Documents
import MeshCore
import TestSupport
import Testing

@Suite("Arguments of templates")
struct ArgumentsTests {
    private func template(_ metric: [String: JSONValue], args: [JSONValue] = [["name": "x"]]) -> AnalysisTemplateSpec? {
        var members = metric
        members["name"] = "m"
        let log = ViolationLog()
        let document: JSONValue = ["args": .array(args), "metrics": [.object(members)]]
        let spec = AnalysisTemplateSpec.read(document, at: .root, log: log)
        #expect(log.violations.isEmpty, "\(log.violations)")
        return spec
    }

    private func query(_ query: String) -> AnalysisTemplateSpec? {
        template([
            "provider": ["prometheus": ["ref": "p", "query": .string(query)]], "thresholdRange": ["min": 1],
        ])
    }

    private func resolve(
        _ spec: AnalysisTemplateSpec?, _ values: [String: String]
    ) throws -> (spec: AnalysisTemplateSpec?, violations: [Violation]) {
        let log = ViolationLog()
        let spec = try #require(spec)
        return (spec.resolved(with: values, at: JSONPointer(["args"]), log: log), log.violations)
    }

    @Test(
        arguments: [
            ("a{b=\"{{args.x}}\"}", "c\"} or vector(1) # \\ \n", "a{b=\"c\\\"} or vector(1) # \\\\ \\n\"}"),
            ("a > {{ args.x }}", "300", "a > 300"), ("a > {{args.x}}", "-1.5e3", "a > -1.5e3"),
            ("a[{{args.x}}]", "5m", "a[5m]"), ("a{b='{{args.x}}'}", "c", "a{b='c'}"),
            ("a[{{ window }}] {{start}} {{end}} {{args.x}}", "1", "a[{{window}}] {{start}} {{end}} 1"),
            ("\"\\\"{{args.x}}\"", "a b", "\"\\\"a b\""), ("# \"\n{{args.x}}", "1", "# \"\n1"),
            ("`\\`{{args.x}}", "1", "`\\`1"), ("`\\`\"{{args.x}}\"", "a b", "`\\`\"a b\""),
            ("{{args.x}} } {", "1", "1 } {"), ("{{args.x}}{", "1", "1{"),
        ])
    func standInQueries(_ text: String, _ value: String, _ expected: String) throws {
        let (spec, violations) = try resolve(query(text), ["x": value])
        #expect(violations.isEmpty)
        guard case .provider(let provider)? = spec?.metrics[0].source, case .prometheus(let query) = provider.query
        else {
            Issue.record("no query")
            return
        }
        #expect(query.query == expected)
    }

    @Test(
        arguments: [
            ("a > {{args.x}}", "1) or vector(1"), ("a > {{args.x}}", ""), ("a{b='{{args.x}}'}", "c'} or d{e='"),
            ("a{b=`{{args.x}}`}", "`"), ("a{b=\"\\{{args.x}}\"}", "\""), ("# \"{{args.x}}", "\n1"),
            ("a{b=\"c\"} {{args.x}}", "a b"), ("`\"{{args.x}}`", "` or `"),
        ])
    func neverEndWhatTheyStandIn(_ text: String, _ value: String) throws {
        let (spec, violations) = try resolve(query(text), ["x": value])
        #expect(spec == nil)
        #expect(violations.map(\.pointer.description) == ["/args/x"])
        #expect(violations.map(\.code) == [.invalidValue])
    }

    @Test(
        arguments: [
            ("/v1/{{args.x}}", "a b/ü~-._", "/v1/a%20b%2F%C3%BC~-._"),
            ("/{{args.x}}{{start}}", "\u{1}", "/%01{{start}}"),
        ])
    func standInPaths(_ path: String, _ value: String, _ expected: String) throws {
        let spec = template([
            "provider": [
                "httpJson": ["ref": "p", "path": .string(path), "query": "q={{args.x}}", "pointer": "/a"]
            ], "thresholdRange": ["min": 1],
        ])
        let (resolved, violations) = try resolve(spec, ["x": value])
        #expect(violations.isEmpty)
        guard case .provider(let provider)? = resolved?.metrics[0].source, case .httpJSON(let query) = provider.query
        else {
            Issue.record("no query")
            return
        }
        #expect(query.path == expected)
        #expect(query.query?.hasPrefix("q=") == true)
        let (climbing, problems) = try resolve(spec, ["x": ".."])
        #expect(path.hasSuffix("{{args.x}}") == (climbing == nil))
        #expect(problems.count == (climbing == nil ? 1 : 0))
    }

    @Test func standInConditions() throws {
        let metric: [String: JSONValue] = [
            "provider": ["builtin": "request-success-rate"], "successCondition": "result >= {{args.x}}",
        ]
        let (spec, _) = try resolve(template(metric), ["x": "0.9"])
        #expect(spec?.metrics[0].successCondition == "result >= 0.9")
        #expect(spec?.metrics[0].samplesNeeded == 30)
        #expect(spec?.args == [AnalysisArgument("x", value: "0.9")])
        let (wrong, violations) = try resolve(template(metric), ["x": "much"])
        #expect(wrong == nil)
        #expect(violations.map(\.pointer.description) == ["/args/x"])
        #expect(violations[0].detail.hasPrefix("metric \"m\", successCondition: column 11: expected a number"))
    }

    @Test func standInRanges() throws {
        let metric: [String: JSONValue] = [
            "provider": ["builtin": "request-rate"], "thresholdRange": ["min": "{{args.x}}", "max": 10],
        ]
        let (spec, _) = try resolve(template(metric), ["x": "2.5"])
        #expect(spec?.metrics[0].thresholdRange == ThresholdRange(min: 2.5, max: 10))
        for value in ["x", "", "nan", "0x10", "1e999", "11"] {
            let (wrong, violations) = try resolve(template(metric), ["x": value])
            #expect(wrong == nil, "\(value)")
            #expect(violations.map(\.pointer.description) == ["/args/x"])
        }
    }

    @Test func mustBeGivenAndKnown() throws {
        let metric: [String: JSONValue] = [
            "provider": ["builtin": "request-success-rate"], "successCondition": "result >= {{args.x}}",
        ]
        let spec = template(metric, args: [["name": "x"], ["name": "y", "value": "1"]])
        let (_, violations) = try resolve(spec, ["z": "1"])
        #expect(violations.map(\.pointer.description) == ["/args/z", "/args/x"])
        #expect(violations.map(\.code) == [.unknownField, .required])
        #expect(violations[0].choices == ["x", "y"])
        let (_, long) = try resolve(spec, ["x": "1", "y": String(repeating: "1", count: 513)])
        #expect(long.map(\.code) == [.tooLong])
    }

    @Test(arguments: [("prometheus", 4090), ("path", 2040), ("query", 4090)])
    func neverMakeTextsTooLong(_ place: String, _ length: Int) throws {
        let text = "/" + String(repeating: "a", count: length - 11) + "{{args.x}}"
        let path = place == "path" ? text : "/"
        let provider: JSONValue =
            place == "prometheus"
            ? ["prometheus": ["ref": "p", "query": .string(text)]]
            : [
                "httpJson": [
                    "ref": "p", "path": .string(path), "query": .string(place == "query" ? text : ""), "pointer": "",
                ]
            ]
        let spec = template(["provider": provider, "thresholdRange": ["min": 1]])
        #expect(try resolve(spec, ["x": "aaaaaaaaaa"]).violations.isEmpty)
        let (long, violations) = try resolve(spec, ["x": String(repeating: "a", count: 30)])
        #expect(long == nil)
        #expect(violations.map(\.pointer.description) == ["/args/x"])
        #expect(violations.first?.detail.contains("bytes long") == true)
    }

    @Test func fillTimes() {
        let time = MeasuredTime(from: Timestamp(microseconds: 100_500_000), to: Timestamp(microseconds: 130_500_000))
        #expect(time.fill("a[{{window}}] {{ start }} {{end}}") == "a[30s] 100 130")
        #expect(time.fill("{{args.x}}{{") == "{{args.x}}{{")
        #expect(MeasuredTime(from: time.to, to: time.from).fill("{{window}}") == "1s")
        let odd = MeasuredTime(from: Timestamp(microseconds: .min), to: Timestamp(microseconds: .max))
        #expect(odd.fill("{{window}}").hasSuffix("s"))
    }

    /// However a template and a value are put together, a value stays inside of its string.
    @Test func neverEndStrings() throws {
        var random = SeededGenerator(seed: 12)
        let pieces = ["\"", "'", "`", "\\", "#", "\n", "a", "{{args.x}}", " ", "{{args.x}}"]
        let parts = ["\"", "\\", "\n", "'", "`", "a", "1", "#", " ", "}", ")", "{{window}}", "é"]
        for _ in 0..<LongRun.count("SLUICE_FUZZ_RUNS", else: 4000) {
            func text(_ pieces: [String]) -> String {
                let count = Int.random(in: 1...8, using: &random)
                return (0..<count).map { _ in pieces[Int.random(in: 0..<pieces.count, using: &random)] }.joined()
            }
            let log = ViolationLog()
            let document: JSONValue = [
                "args": [["name": "x"]],
                "metrics": [
                    [
                        "name": "m", "provider": ["prometheus": ["ref": "p", "query": .string(text(pieces) + "x")]],
                        "thresholdRange": ["min": 1],
                    ]
                ],
            ]
            let spec = try #require(AnalysisTemplateSpec.read(document, at: .root, log: log))
            let (plain, hostile) = (
                spec.resolved(with: ["x": "v"], at: .root, log: log),
                spec.resolved(with: ["x": text(parts)], at: .root, log: log)
            )
            guard let plain, let hostile else { continue }
            #expect(skeleton(of: plain) == skeleton(of: hostile))
        }
    }

    /// The query with everything left out that stands in strings and comments, or is a word.
    private func skeleton(of spec: AnalysisTemplateSpec) -> String {
        guard case .provider(let provider) = spec.metrics[0].source, case .prometheus(let query) = provider.query else {
            return ""
        }
        var (skeleton, open, isEscaped) = ("", Character?.none, false)
        for character in query.query {
            if isEscaped {
                isEscaped = false
            } else if let quote = open {
                if quote == "#" ? character == "\n" : character == quote { open = nil }
                if character == "\\" && quote != "`" && quote != "#" { isEscaped = true }
            } else if "\"'`#".contains(character) {
                open = character
                skeleton.append(character)
            } else if !(character.isLetter || character.isNumber || "{}._:".contains(character)) {
                skeleton.append(character)
            }
        }
        return skeleton
    }
}
