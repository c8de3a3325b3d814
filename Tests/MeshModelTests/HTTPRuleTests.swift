import Documents
import MeshCore
import MeshFixtures
import MeshModel
import Testing

@Suite("A rule does one thing with a request, and nothing that does not go with it")
struct HTTPRuleTests {
    private static let route: JSONValue = [["destination": ["host": "a"]]]

    private static func read(_ rule: [String: JSONValue], ofStored: Bool = false) -> (
        rule: HTTPRule?, log: ViolationLog
    ) {
        let log = ViolationLog(ofStored: ofStored)
        let spec = VirtualServiceSpec.read(["hosts": ["a"], "http": [.object(rule)]], at: .root, log: log)
        return (spec?.http.first, log)
    }

    /// `pointer code` of each mistake, below the rule.
    private static func mistakes(_ rule: [String: JSONValue]) -> [String] {
        read(rule).log.violationsAndUnknownFields.map {
            "\($0.pointer.description.dropFirst("/http/0".count)) \($0.code)"
        }
    }

    @Test(
        "what does nothing without a route is refused beside other answers",
        arguments: [
            (["route": route], []), (["redirect": ["uri": "/x"]], []), (["directResponse": ["status": 503]], []),
            ([:], [" required"]), (["redirect": ["uri": "/x"], "timeout": "1s"], ["/timeout conflict"]),
            (["directResponse": ["status": 503], "rewrite": ["uri": "/x"]], ["/rewrite conflict"]),
            (["directResponse": ["status": 503], "retries": ["attempts": 1]], ["/retries conflict"]),
            (["directResponse": ["status": 503], "mirror": ["host": "b"]], ["/mirror conflict"]),
            (["directResponse": ["status": 503], "fault": ["delay": ["fixedDelay": "1s"]]], []),
            (["route": route, "timeout": "1s", "rewrite": ["uri": "/x"], "retries": [:], "mirror": ["host": "b"]], []),
            (["timeout": "1s"], [" required"]),
            (["route": route, "mirror": ["host": "b"], "mirrorPercentage": ["value": 5]], []),
            (["route": route, "mirrorPercentage": ["value": 5]], ["/mirrorPercentage conflict"]),
        ] as [([String: JSONValue], [String])])
    func actions(rule: [String: JSONValue], expected: [String]) { #expect(Self.mistakes(rule) == expected) }

    @Test(
        "weights add up to 100; an only destination has them all, and of several one that says nothing has none",
        arguments: [
            ([nil], [100]), ([100], [100]), ([50], nil), ([0], nil), ([40, 60], [40, 60]), ([nil, 100], [0, 100]),
            ([nil, nil], nil), ([50, 51], nil),
        ] as [([Int64?], [Int]?)])
    func weights(given: [Int64?], expected: [Int]?) throws {
        let parts = given.map { weight -> JSONValue in
            var part: [String: JSONValue] = ["destination": ["host": "a"]]
            part["weight"] = weight.map(JSONValue.integer)
            return .object(part)
        }
        let (rule, log) = Self.read(["route": .array(parts)])
        #expect(log.violations.map { "\($0.pointer)" } == (expected == nil ? ["/http/0/route"] : []))
        guard let rule, let expected, case .route(let read) = rule.action else { return }
        #expect(read.map(\.weight) == expected)
        // What goes without saying is not written.
        let written = rule.json["route"]?.arrayValue?.map { $0["weight"]?.integerValue }
        #expect(written == (given.count == 1 ? [nil] : expected.map { Int64($0) }))
    }

    @Test(
        "a rewrite replaces a path by one way",
        arguments: [
            (["uri": "/x"], []), (["authority": "x"], []), (["uriRegexRewrite": ["match": "a", "rewrite": "b"]], []),
            ([:], ["/rewrite required"]), (["uri": "x"], ["/rewrite/uri invalidValue"]),
            (["uri": "/x", "uriRegexRewrite": ["match": "a", "rewrite": "b"]], ["/rewrite conflict"]),
            (["uri": "/x", "authority": "y"], []),
            (["uriRegexRewrite": ["match": "(a)", "rewrite": "\\1"]], []),
            (
                ["uriRegexRewrite": ["match": "(a)", "rewrite": "\\2"]],
                ["/rewrite/uriRegexRewrite/rewrite invalidFormat"]
            ),
            (["uriRegexRewrite": ["rewrite": "\\2"]], ["/rewrite/uriRegexRewrite/match required"]),
            (
                ["uriRegexRewrite": ["match": "("]],
                [
                    "/rewrite/uriRegexRewrite/match invalidFormat", "/rewrite/uriRegexRewrite/rewrite required",
                ]
            ),
            (["authority": ""], ["/rewrite/authority invalidFormat"]),
            (["authority": "a\u{7F}"], ["/rewrite/authority invalidFormat"]),
            (["authority": "a\u{1F}"], ["/rewrite/authority invalidFormat"]), (["authority": "a\tb"], []),
            (["authority": "é"], []), (["authority": "~ "], []),
        ] as [(JSONValue, [String])])
    func rewrites(rewrite: JSONValue, expected: [String]) {
        #expect(Self.mistakes(["route": Self.route, "rewrite": rewrite]) == expected)
    }

    @Test(
        "a redirect leads somewhere, with a status that redirects",
        arguments: [
            (["uri": "/x"], []), (["authority": "x"], []), (["scheme": "https"], []), (["scheme": "http"], []),
            (["port": 80], []),
            ([:], ["/redirect required"]), (["redirectCode": 302], ["/redirect required"]),
            (["scheme": "ftp"], ["/redirect/scheme invalidValue"]),
            (["uri": "/x", "redirectCode": 301], []), (["uri": "/x", "redirectCode": 302], []),
            (["uri": "/x", "redirectCode": 303], []), (["uri": "/x", "redirectCode": 307], []),
            (["uri": "/x", "redirectCode": 308], []),
            (["uri": "/x", "redirectCode": 304], ["/redirect/redirectCode invalidValue"]),
        ] as [(JSONValue, [String])])
    func redirects(redirect: JSONValue, expected: [String]) {
        #expect(Self.mistakes(["redirect": redirect]) == expected)
    }

    @Test(
        "the host can only be set, and names and values are those of headers",
        arguments: [
            (["set": ["x-a": "1", "host": "b", ":authority": "b", "Host": "c"]], []),
            (["set": [":path": "/"]], ["/set/:path invalidFormat"]),
            (["set": ["a b": "1"]], ["/set/a b invalidFormat"]),
            (["set": ["x-a": "a\nb"]], ["/set/x-a invalidFormat"]),
            (["set": ["host": "%HOSTNAME%"]], ["/set/host invalidFormat"]),
            (["set": ["x-a": "%HOSTNAME%"]], []), (["set": ["x-a": "%NOTHING%"]], ["/set/x-a invalidFormat"]),
            (["add": ["x-a": "1"]], []), (["add": ["host": "b"]], ["/add/host invalidValue"]),
            (["add": [":authority": "b"]], ["/add/:authority invalidValue"]),
            (["add": [":path": "/"]], ["/add/:path invalidFormat"]),
            (["remove": ["x-a"]], []), (["remove": ["HOST"]], ["/remove/0 invalidValue"]),
            (["remove": [":path"]], ["/remove/0 invalidFormat"]),
            (["remove": [""]], ["/remove/0 invalidFormat"]),
        ] as [(JSONValue, [String])])
    func headers(edit: JSONValue, expected: [String]) {
        for side in ["request", "response"] {
            let mistakes = Self.mistakes(["route": Self.route, "headers": [side: edit]])
            #expect(mistakes == expected.map { "/headers/\(side)\($0)" })
        }
    }

    @Test("nothing that is said of headers is not written")
    func emptyHeaders() throws {
        var operations = HeaderOperations()
        #expect(operations.isEmpty && operations.request.isEmpty)
        let edits: [WritableKeyPath<HeaderOperations, HeaderOperations.Edit>] = [\.request, \.response]
        for edit in edits {
            for change: (inout HeaderOperations.Edit) -> Void in [
                { $0.set = ["a": "b"] }, { $0.add = ["a": "b"] }, { $0.remove = ["a"] },
            ] {
                operations = HeaderOperations()
                change(&operations[keyPath: edit])
                #expect(!operations.isEmpty && !operations[keyPath: edit].isEmpty)
            }
        }
        let (rule, _) = Self.read(["route": Self.route, "headers": ["request": [:], "response": ["set": [:]]]])
        #expect(rule?.json == ["route": Self.route])
    }

    @Test(
        "retries are conditions and status codes",
        arguments: [
            ("5xx,reset", ["5xx", "reset"], []), ("503, 100,599", [], [503, 100, 599]), (" 5xx , 503", ["5xx"], [503]),
            ("", [], []),
        ])
    func retries(text: String, conditions: [String], codes: [Int]) {
        let (rule, _) = Self.read(["route": Self.route, "retries": ["retryOn": .string(text)]])
        #expect(rule?.retries?.conditions == conditions && rule?.retries?.statusCodes == codes)
        #expect(rule?.retries?.attempts == 2)
        for wrong in ["99", "600", "5XX", "never", "-503"] {
            let mistakes = Self.mistakes(["route": Self.route, "retries": ["retryOn": .string("5xx,\(wrong)")]])
            #expect(mistakes == ["/retries/retryOn invalidValue"], "\(wrong)")
        }
    }

    @Test(
        "a fault is a delay, an abort, or both",
        arguments: [
            (["delay": ["fixedDelay": "1s"]], []), (["abort": ["httpStatus": 503]], []),
            (["delay": ["fixedDelay": "1s"], "abort": ["httpStatus": 503]], []), ([:], ["/fault required"]),
        ] as [(JSONValue, [String])])
    func faults(fault: JSONValue, expected: [String]) {
        #expect(Self.mistakes(["route": Self.route, "fault": fault]) == expected)
    }

    @Test("a condition that a header is absent does not fit an empty value, unless it fits any")
    func absences() {
        let matches: [(match: JSONValue, isRefused: Bool)] = [
            (["exact": ""], true), (["prefix": ""], true), (["regex": "a*"], true), (["exact": "a"], false),
            (["regex": "a+"], false),
            (["regex": ".*"], false), ([:], false),
        ]
        for row in matches {
            let mistakes = Self.mistakes(["route": Self.route, "match": [["withoutHeaders": ["x": row.match]]]])
            let isAny = row.match == ["prefix": ""]
            #expect(
                mistakes == (row.isRefused && !isAny ? ["/match/0/withoutHeaders/x invalidValue"] : []), "\(row.match)")
        }
    }

    @Test("regexes are counted where they stand: those of conditions by themselves")
    func regexes() throws {
        let plain = try #require(Self.read(["route": Self.route]).rule)
        #expect(plain.regexSize == 0)
        let match: JSONValue = [["uri": ["regex": "/a+"]], ["uri": ["regex": "/b+"]]]
        let matched = try #require(Self.read(["route": Self.route, "match": match]).rule)
        #expect(matched.regexSize == 0 && matched.match.allSatisfy { $0.regexSize > 0 })
        let rewrite: JSONValue = ["uriRegexRewrite": ["match": "a+", "rewrite": "b"]]
        let rewritten = try #require(Self.read(["route": Self.route, "match": match, "rewrite": rewrite]).rule)
        #expect(rewritten.regexSize > 0 && rewritten.match.map(\.regexSize) == matched.match.map(\.regexSize))
    }

    @Test("rules are for sidecars unless they name gateways alone")
    func gateways() {
        for (gateways, applies) in [([], true), (["mesh"], true), (["a", "mesh"], true), (["a"], false)]
            as [([String], Bool)]
        {
            #expect(VirtualServiceSpec(hosts: ["a"], gateways: gateways, http: []).appliesToSidecars == applies)
        }
    }
}
