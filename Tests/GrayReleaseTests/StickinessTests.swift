import Documents
import GrayRelease
import MeshCore
import Testing

@Suite("What tells users apart is read and written, and what cannot is refused with its place")
struct StickinessTests {
    private static func read(_ document: JSONValue) -> (Stickiness?, ViolationLog) {
        let log = ViolationLog()
        return (Stickiness.read(document, at: JSONPointer.root, log: log), log)
    }

    private static let accepted: [(document: JSONValue, means: Stickiness)] = [
        (["source": ["header": "X-User-Id"]], Stickiness(.header("x-user-id"))),
        (
            [
                "mode": "hash", "source": ["header": "x-user"],
                "fallback": ["cookie": ["name": "user", "ttl": "24h"]],
            ],
            Stickiness(.header("x-user"), fallback: Stickiness.Cookie(name: "user", ttl: .seconds(86_400)))
        ),
        (["source": ["cookie": ["name": "user"]]], Stickiness(.cookie(Stickiness.Cookie(name: "user")))),
        (["source": ["sourceAddress": true]], Stickiness(.sourceAddress)),
    ]

    @Test("documents", arguments: accepted)
    func documents(_ document: JSONValue, _ expected: Stickiness) {
        let (stickiness, log) = Self.read(document)
        #expect(log.violationsAndUnknownFields.isEmpty)
        #expect(stickiness == expected)
        #expect(Self.read(expected.json).0 == expected)
        #expect(expected.json["mode"] == "hash")
    }

    private static let wrong: [(document: JSONValue, pointer: String, code: Violation.Code)] = [
        ([:], "/source", .required), (["source": [:]], "/source", .required),
        (["source": ["header": "a", "sourceAddress": true]], "/source", .conflict),
        (["source": ["sourceAddress": false]], "/source", .required),
        (["source": ["header": "a b"]], "/source/header", .invalidFormat),
        (["source": ["header": ":path"]], "/source/header", .invalidValue),
        (["source": ["header": ""]], "/source/header", .invalidFormat),
        (["source": ["cookie": [:]]], "/source/cookie/name", .required),
        (["source": ["cookie": ["name": "a=b"]]], "/source/cookie/name", .invalidFormat),
        (["source": ["cookie": ["name": ":a"]]], "/source/cookie/name", .invalidFormat),
        (["source": ["cookie": ["name": "a", "ttl": "-1s"]]], "/source/cookie/ttl", .invalidFormat),
        (["source": ["cookie": ["name": "a", "ttl": "1500ms"]]], "/source/cookie/ttl", .invalidValue),
        (["source": ["cookie": ["name": "a", "ttl": "8761h"]]], "/source/cookie/ttl", .outOfRange),
        (["mode": "random", "source": ["header": "a"]], "/mode", .unsupported),
        (["source": ["header": "a"], "fallback": [:]], "/fallback/cookie", .required),
        (
            ["source": ["cookie": ["name": "a"]], "fallback": ["cookie": ["name": "b"]]], "/fallback", .conflict
        ),
        (["source": ["sourceAddress": true], "fallback": ["cookie": ["name": "b"]]], "/fallback", .conflict),
    ]

    @Test("refusals", arguments: wrong)
    func refusals(_ document: JSONValue, _ pointer: String, _ code: Violation.Code) {
        let (_, log) = Self.read(document)
        #expect(log.violations.map(\.pointer.description) == [pointer])
        #expect(log.violations.map(\.code) == [code])
    }
}
