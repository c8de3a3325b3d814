import Documents
import MeshCore
import MeshFixtures
import MeshModel
import Testing

@testable import MeshCompiler

@Suite("A rule's condition with a release's condition besides is one that holds if both do")
struct NarrowingTests {
    private static func match(_ document: JSONValue) throws -> IR.RouteMatch {
        IR.RouteMatch(try MeshDocument.spec(document) as HTTPMatch)
    }

    /// The condition's parts, one by one; `nil` if no request can fit both.
    private static func parts(_ match: IR.RouteMatch?) -> [String]? {
        func text(_ match: StringMatch) -> String {
            switch match {
            case .exact(let text): "=\(text)"
            case .prefix(let text): "\(text)…"
            case .regex(let text): "~\(text)"
            case .present: "*"
            }
        }
        guard let match else { return nil }
        return ["path \(text(match.path))"] + (match.method.map { ["method \(text($0))"] } ?? [])
            + match.headers.map { "\($0.name) \(text($0.match))" }
            + match.queryParams.map { "?\($0.name) \(text($0.match))" }
    }

    private static let query = "(?:\\?.*)?"

    @Test("paths: what the one has of the other already is not said again")
    func paths() throws {
        let rows: [(own: JSONValue, further: StringMatch, parts: [String]?)] = [
            ([:], .prefix("/"), ["path /…"]), ([:], .prefix(""), ["path /…"]), ([:], .present, ["path /…"]),
            (["uri": ["prefix": "/a"]], .prefix("/"), ["path /a…"]),
            (["uri": ["prefix": "/a/b"]], .prefix("/a"), ["path /a/b…"]),
            (["uri": ["prefix": "/a"]], .prefix("/a"), ["path /a…"]),
            (["uri": ["prefix": "/a"]], .prefix("/a/b"), ["path /a…", ":path /a/b…"]),
            (["uri": ["prefix": "/a"]], .prefix("/b"), nil), (["uri": ["prefix": "/a"]], .exact("/b"), nil),
            (["uri": ["prefix": "/a"]], .exact("/a/b"), ["path /a…", ":path ~/a/b\(Self.query)"]),
            (["uri": ["exact": "/a"]], .exact("/a"), ["path =/a"]), (["uri": ["exact": "/a"]], .exact("/b"), nil),
            (["uri": ["exact": "/a"]], .prefix("/a"), ["path =/a"]), (["uri": ["exact": "/a"]], .prefix("/b"), nil),
            (["uri": ["exact": "/a"]], .regex("/[ab]"), ["path =/a"]), (["uri": ["exact": "/c"]], .regex("/[ab]"), nil),
            (["uri": ["regex": "/a+"]], .exact("/a"), ["path ~/a+", ":path ~/a\(Self.query)"]),
            (["uri": ["regex": "/a+"]], .prefix("/a"), ["path ~/a+", ":path /a…"]),
            // What the path ends before no path has.
            ([:], .exact("/a?b"), nil), ([:], .prefix("/a?"), nil),
            ([:], .exact("/a"), ["path /…", ":path ~/a\(Self.query)"]),
            // Capital and small letters are the same to the rule, and not to the release.
            (["uri": ["exact": "/A"], "ignoreUriCase": true], .exact("/a"), ["path =/A", ":path ~/a\(Self.query)"]),
            (["uri": ["prefix": "/A"], "ignoreUriCase": true], .prefix("/a"), ["path /A…", ":path /a…"]),
        ]
        for row in rows {
            let narrowed = try Self.match(row.own).narrowed(toPath: row.further)
            #expect(Self.parts(narrowed) == row.parts, "\(row.own) \(row.further)")
        }
        // Said twice it stands there once.
        let twice = try Self.match(["uri": ["regex": "/a+"]]).narrowed(toPath: .prefix("/a"))?.narrowed(
            toPath: .prefix("/a"))
        #expect(Self.parts(twice) == ["path ~/a+", ":path /a…"])
    }

    @Test("methods: those that the rule lets through")
    func methods() throws {
        let rows: [(own: JSONValue, methods: [String], parts: [String]?)] = [
            ([:], [], ["path /…"]), ([:], ["GET"], ["path /…", "method =GET"]),
            ([:], ["HEAD", "GET"], ["path /…", "method ~GET|HEAD"]),
            (["method": ["exact": "GET"]], ["GET", "HEAD"], ["path /…", "method =GET"]),
            (["method": ["exact": "POST"]], ["GET", "HEAD"], nil),
            (["method": ["exact": "POST"]], [], ["path /…", "method =POST"]),
            (["method": ["regex": "GET|PUT"]], ["GET", "HEAD"], ["path /…", "method =GET"]),
            // It cannot be said which ones fit: the rule's own condition stays beside the other.
            (
                ["method": ["regex": "\\p{Greek}*GET"]], ["GET", "HEAD"],
                ["path /…", "method ~\\p{Greek}*GET", ":method ~GET|HEAD"]
            ),
        ]
        for row in rows {
            let narrowed = try Self.match(row.own).narrowed(toMethods: row.methods)
            #expect(Self.parts(narrowed) == row.parts, "\(row.own) \(row.methods)")
        }
    }

    @Test("headers, cookies and query: none where no request can have both")
    func contents() throws {
        let rows: [(own: JSONValue, content: ContentMatch, parts: [String]?)] = [
            ([:], ContentMatch(headers: ["x": .exact("1")]), ["path /…", "x =1"]),
            (
                ["headers": ["x": ["exact": "1"]]], ContentMatch(headers: ["x": .exact("1")]),
                ["path /…", "x =1", "x =1"]
            ),
            (["headers": ["x": ["exact": "1"]]], ContentMatch(headers: ["x": .exact("2")]), nil),
            (["headers": ["x": ["exact": "1"]]], ContentMatch(headers: ["x": .prefix("2")]), nil),
            (["headers": ["x": ["prefix": "2"]]], ContentMatch(headers: ["x": .exact("1")]), nil),
            (
                ["headers": ["x": ["prefix": "1"]]], ContentMatch(headers: ["x": .exact("12")]),
                ["path /…", "x 1…", "x =12"]
            ),
            (
                ["headers": ["x": ["prefix": "1"]]], ContentMatch(headers: ["x": .prefix("2")]),
                ["path /…", "x 1…", "x 2…"]
            ),
            (
                ["headers": ["y": ["exact": "1"]]], ContentMatch(headers: ["x": .exact("2")]),
                ["path /…", "y =1", "x =2"]
            ),
            (["queryParams": ["q": ["exact": "1"]]], ContentMatch(queryParams: ["q": .exact("2")]), nil),
            (
                ["queryParams": ["q": ["exact": "1"]]], ContentMatch(queryParams: ["q": .present]),
                ["path /…", "?q =1", "?q *"]
            ),
            (
                ["queryParams": ["q": ["exact": "1"]]], ContentMatch(queryParams: ["r": .exact("2")]),
                ["path /…", "?q =1", "?r =2"]
            ),
            (["uri": ["exact": "/a"]], ContentMatch(path: .exact("/b")), nil),
            (
                ["uri": ["exact": "/a"]], ContentMatch(headers: ["x": .present], path: .prefix("/a")),
                ["path =/a", "x *"]
            ),
            (
                [:], ContentMatch(cookies: ["c": .exact("1")]), ["path /…", "cookie ~(?:.*;\\s*)?c=1(?:\\s*;.*)?"]
            ),
            ([:], ContentMatch(cookies: ["c": .prefix("1")]), ["path /…", "cookie ~(?:.*;\\s*)?c=1[^;]*(?:\\s*;.*)?"]),
            ([:], ContentMatch(cookies: ["c": .present]), ["path /…", "cookie ~(?:.*;\\s*)?c=[^;]*(?:\\s*;.*)?"]),
        ]
        for row in rows {
            let narrowed = try Self.match(row.own).narrowed(by: row.content)
            #expect(Self.parts(narrowed) == row.parts, "\(row.own) \(row.content)")
        }
    }
}
