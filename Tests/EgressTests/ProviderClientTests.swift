import Documents
import HTTPFixtures
import TestSupport
import Testing

@testable import Egress

@Suite("Clients of providers", .timeLimit(.minutes(5)))
struct ProviderClientTests {
    private static func vector(_ result: String) -> String {
        #"{"status":"success","data":{"resultType":"vector","result":\#(result)}}"#
    }

    static let answers: [(status: Int, body: String, outcome: String)] = [
        (200, vector(#"[{"metric":{"a":"b"},"value":[1700000000.1,"0.5"]}]"#), "0.5"),
        (200, #"{"status":"success","data":{"resultType":"scalar","result":[1,"-1e3"]},"warnings":["w"]}"#, "-1000.0"),
        (200, vector("[]"), "none"),
        (200, vector(#"[{"value":[1,"1"]},{"value":[1,"2"]}]"#), "gives 2 samples"),
        (200, vector(#"[{"value":[1,"NaN"]}]"#), "is NaN"), (200, vector(#"[{"value":[1,"+Inf"]}]"#), "is +Inf"),
        (200, vector(#"[{"value":[1,"-Inf"]}]"#), "is -Inf"), (200, vector(#"[{"value":[1,"1e999"]}]"#), "is +Inf"),
        (200, vector(#"[{"value":[1,"0x1p3"]}]"#), "no number"),
        (200, vector(#"[{"value":[1,"nan(1)"]}]"#), "no number"),
        (200, vector(#"[{"value":[1,""]}]"#), "no number"), (200, vector(#"[{"value":[1,2]}]"#), "no pair"),
        (200, vector(#"[{"value":["1"]}]"#), "no pair"), (200, vector(#"[{"histogram":[1,{}]}]"#), "histogram"),
        (200, vector("[1]"), "no pair"), (200, vector("{}"), "no array"), (200, vector("null"), "no array"),
        (200, #"{"status":"success","data":{"resultType":"matrix","result":[]}}"#, "gives a matrix"),
        (200, #"{"status":"success","data":{"resultType":"string","result":[1,"2"]}}"#, "gives a string"),
        (200, #"{"status":"success","data":{}}"#, "lacks a result type"), (200, #"{"status":"success"}"#, "lacks"),
        (200, #"{"status":"error","error":"bad"}"#, "answers an error: bad"), (200, "{}", "does not say success"),
        (200, "[]", "does not say success"), (200, "<html></html>", "no JSON"), (200, "", "no JSON"),
        (
            400, #"{"status":"error","errorType":"bad_data","error":"parse error\n here"}"#,
            "answers 400: parse error  here"
        ),
        (503, "<html>", "answers 503"), (302, "", "answers 302, a redirect"),
        (422, #"{"error":"\#(String(repeating: "é", count: 500))"}"#, String(repeating: "é", count: 100)),
    ]

    private static func expect(_ outcome: NumberOutcome, _ expected: String) {
        switch outcome {
        case .value(let number): #expect("\(number)" == expected)
        case .noData: #expect(expected == "none")
        case .failure(let reason):
            #expect(reason.contains(expected), "\(reason)")
            #expect(reason.utf8.count < 300)
        }
    }

    @Test("read what Prometheus answers", arguments: answers)
    func prometheus(status: Int, body: String, outcome: String) {
        Self.expect(PrometheusClient.read(status: status, body: Array(body.utf8)), outcome)
    }

    static let places: [(pointer: String, outcome: String)] = [
        ("/a/1/b~1c", "1.5"), ("/a/0", "7.0"), ("/m~0n", "-2.0"), ("", "the root is a object"), ("/none", "none"),
        ("/null", "none"), ("/null/x", "none"), ("/a/9", "none"), ("/a/-", "none"),
        ("/a/99999999999999999999999", "none"),
        ("/a/01", "no index"), ("/a/x", "no index"), ("/a/", "no index"), ("/text", "a string, not a number"),
        ("/true", "a boolean, not a number"), ("/text/x", "what stands at /text is a string"), ("/a", "a array"),
        ("/", "3.0"),
    ]

    @Test("find a number in a document", arguments: places)
    func pointers(pointer: String, outcome: String) throws {
        let body = #"{"a":[7,{"b/c":1.5}],"m~n":-2,"null":null,"text":"1","true":true,"":3}"#
        let pointer = try #require(JSONPointer(text: pointer))
        Self.expect(JSONNumberClient.read(status: 200, body: Array(body.utf8), at: pointer), outcome)
    }

    @Test("take pointers as RFC 6901 writes them", arguments: ["a", "a/b", "/~", "/~2", "/a~/b", "~0"])
    func badPointers(text: String) {
        #expect(JSONPointer(text: text) == nil)
    }

    @Test("fail for what is no JSON, and for a status that is no success")
    func documents() {
        for body in ["", "<html>", "{", "1e999", "nan"] {
            let outcome = JSONNumberClient.read(status: 200, body: Array(body.utf8), at: .root)
            guard case .failure = outcome else {
                Issue.record("\(body): \(outcome)")
                continue
            }
        }
        Self.expect(JSONNumberClient.read(status: 500, body: Array("1".utf8), at: .root), "answers 500")
        Self.expect(JSONNumberClient.read(status: 301, body: [], at: .root), "a redirect")
        Self.expect(JSONNumberClient.read(status: 200, body: Array("42".utf8), at: .root), "42.0")
    }

    @Test("say something finite, nothing or why not, whatever comes")
    func random() throws {
        var random = SeededGenerator(seed: 3)
        let pointer = try #require(JSONPointer(text: "/data/result/0/value/0"))
        for _ in 0..<LongRun.count("SLUICE_FUZZ_RUNS", else: 5_000) {
            var body = Array((Self.answers.randomElement(using: &random)?.body ?? "").utf8)
            for _ in 0..<Int.random(in: 1...4, using: &random) {
                let place = Int.random(in: 0...body.count, using: &random)
                if random.chance(50), place < body.count {
                    body.remove(at: place)
                } else {
                    body.insert(UInt8.random(in: 0...255, using: &random), at: place)
                }
            }
            for outcome in [
                PrometheusClient.read(status: 200, body: body), PrometheusClient.read(status: 400, body: body),
                JSONNumberClient.read(status: 200, body: body, at: pointer),
            ] {
                if case .value(let number) = outcome { #expect(number.isFinite) }
            }
        }
    }

    @Test("do not tell what a provider repeats of the credentials that it was sent")
    func echo() async throws {
        let body = #"{"error":"unknown token hunter2-hunter2"}"#
        try await ScriptedServer.run(.status("401 Unauthorized", body)) { server in
            try await withClient { client in
                let address = ProviderAddress(
                    base: server.url, headers: [("Authorization", "Bearer hunter2-hunter2")], timeout: .seconds(60))
                let outcome = await PrometheusClient(address, client: client).value(of: "up")
                #expect(outcome == .failure("the provider answers 401: unknown token <redacted>"))
            }
        }
    }

    @Test("ask below the provider's path, with what is encoded, and with its headers")
    func requests() async throws {
        try await ScriptedServer.run(.ok(Self.vector(#"[{"value":[1,"3"]}]"#))) { server in
            try await withClient { client in
                let address = ProviderAddress(
                    base: "\(server.url)/prefix/", headers: [("Authorization", "Bearer x")], timeout: .seconds(60))
                let prometheus = PrometheusClient(address, client: client)
                #expect(await prometheus.value(of: "a{b=\"ü&#\"} + 1", at: 1_700_000_000_007) == .value(3))
                let json = JSONNumberClient(address, client: client)
                let pointer = try #require(JSONPointer(text: "/data/result/0/value/0"))
                #expect(await json.value(at: pointer, path: "/x", query: "y=%20") == .value(1))
                let lines = server.requests.compactMap { $0.split(separator: "\r\n").first.map(String.init) }
                #expect(
                    lines == [
                        "GET /prefix/api/v1/query?query=a%7Bb%3D%22%C3%BC%26%23%22%7D%20%2B%201&time=1700000000.007 HTTP/1.1",
                        "GET /prefix/x?y=%20 HTTP/1.1",
                    ])
                #expect(server.requests.allSatisfy { $0.contains("Authorization: Bearer x\r\n") })
                for path in [
                    "@evil.test/", ".evil.test", "/../x", "/a/%2E%2e/b", "/a%2f..", "/a?b", "/#", "/a b", "/\r\nX: y",
                ] {
                    let outcome = await json.value(at: pointer, path: path)
                    Self.expect(outcome, "the URL is invalid")
                }
                Self.expect(await json.value(at: pointer, path: "", query: "a#b"), "the URL is invalid")
                #expect(server.connections == 2)
            }
        }
    }
}
