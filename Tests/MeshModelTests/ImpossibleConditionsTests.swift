import Documents
import MeshCore
import MeshModel
import TestSupport
import Testing

@Suite("Conditions that can never match are refused when they are written")
struct ImpossibleConditionsTests {
    /// What is wrong with a condition of a release's step.
    private static func step(_ content: JSONValue, isOfStored: Bool = false) -> [String] {
        let log = ViolationLog(ofStored: isOfStored)
        _ = ContentMatch.read(content, at: .root, log: log)
        return log.violations.map(\.pointer.description)
    }

    /// What is wrong with a rule.
    private static func rule(_ rule: [String: JSONValue], isOfStored: Bool = false) -> [String] {
        let log = ViolationLog(ofStored: isOfStored)
        let route: JSONValue = [["destination": ["host": "a"]]]
        let complete = rule["redirect"] == nil ? rule.merging(["route": route]) { $1 } : rule
        let spec: JSONValue = ["hosts": ["a"], "http": [.object(complete)]]
        _ = VirtualServiceSpec.read(spec, at: .root, log: log)
        return log.violations.map(\.pointer.description)
    }

    @Test(
        "paths that do not begin with /, values with blanks around them or control characters, and no name",
        arguments: [
            (["path": ["prefix": "a"]], ["/path"]), (["path": ["exact": "a/b"]], ["/path"]),
            (["headers": ["x": ["exact": "a "]]], ["/headers/x"]),
            (["headers": ["x": ["exact": " a"]]], ["/headers/x"]),
            (["headers": ["x": ["prefix": " a"]]], ["/headers/x"]),
            (["headers": ["x": ["prefix": "a\n"]]], ["/headers/x"]),
            (["cookies": ["x": ["exact": "a "]]], ["/cookies/x"]),
            (["queryParams": ["": ["exact": "a"]]], ["/queryParams/"]),
            (["path": ["prefix": "/a"]], []), (["path": ["prefix": ""]], []), (["path": ["exact": "*"]], []),
            (["headers": ["x": ["prefix": "a "]]], []), (["headers": ["x": ["exact": ""]]], []),
            (["headers": ["x": ["exact": "a b"]]], []),
        ] as [(JSONValue, [String])])
    func steps(_ content: JSONValue, _ expected: [String]) {
        #expect(Self.step(content) == expected)
        #expect(Self.step(content, isOfStored: true).isEmpty, "what is stored is read as before")
    }

    @Test(
        "rules alike, and what a path is rewritten to",
        arguments: [
            (["match": [["uri": ["prefix": "a"]]]], ["/http/0/match/0/uri"]),
            (["match": [["headers": ["x": ["exact": "a "]]]]], ["/http/0/match/0/headers/x"]),
            (["rewrite": ["uri": "x"]], ["/http/0/rewrite/uri"]),
            (["redirect": ["uri": "x"]], ["/http/0/redirect/uri"]),
            (["match": [["uri": ["prefix": ""]]], "rewrite": ["uri": "/"]], []),
        ] as [([String: JSONValue], [String])])
    func rules(_ rule: [String: JSONValue], _ expected: [String]) {
        #expect(Self.rule(rule) == expected)
        #expect(Self.rule(rule, isOfStored: true).isEmpty)
    }
}
