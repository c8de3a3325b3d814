import Documents
import HTTPTypes
import MeshControl
import Postgres
import Testing

@testable import MeshAPI

@Suite("The rules for every endpoint")
struct EndpointRulesTests {
    @Test("a write needs to know what it replaces")
    func preconditions() async throws {
        try await Fixture.run { api in
            try await api.prepare()
            let path = Fixture.shop + "/services/reviews"
            let first = try await api.get(path)
            #expect(first.tag.hasPrefix("\"") && first.tag.hasSuffix("\""))

            let blind = try await api.send("PUT", path, Fixture.reviews)
            #expect(blind.status == 428)
            #expect(blind.code == "preconditionRequired")
            #expect(blind.tag == first.tag)
            #expect(try await api.send("PUT", path, Fixture.reviews, ["If-None-Match": "*"]).status == 412)
            #expect(try await api.send("PATCH", path, ["spec": [:]]).status == 428)
            #expect(try await api.send("DELETE", path).status == 428)

            let labelled = ["metadata": ["labels": ["a": "b"]]] as JSONValue
            let second = try await api.send("PATCH", path, labelled, ["If-Match": first.tag])
            #expect(second.status == 200, "\(second.text)")
            #expect(second.tag != first.tag)
            #expect(second.body["metadata"]?["generation"] == 1)
            let stale = try await api.send("PATCH", path, labelled, ["If-Match": first.tag])
            #expect(stale.status == 412)
            #expect(stale.tag == second.tag)
            let weak = try await api.send("PATCH", path, labelled, ["If-Match": "W/\(second.tag)"])
            #expect(weak.status == 412)
            #expect(try await api.send("PUT", path, Fixture.reviews, ["If-Match": "*"]).status == 200)
            let absent = try await api.send("PUT", Fixture.shop + "/services/none", Fixture.reviews, ["If-Match": "*"])
            #expect(absent.status == 412)
        }
    }

    @Test("a read says when nothing is new")
    func conditionalReads() async throws {
        try await Fixture.run { api in
            try await api.prepare()
            for path in [Fixture.shop + "/services/reviews", "/v1/tenants/acme/clusters/dev/mesh", "/v1/tenants/acme"] {
                let first = try await api.get(path)
                let second = try await api.get(path, ["If-None-Match": first.tag])
                #expect(second.status == 304)
                #expect(second.text.isEmpty)
                #expect(second.tag == first.tag)
            }
            let head = try await api.send("HEAD", Fixture.shop + "/services/reviews")
            #expect(head.status == 200)
            #expect(head.text.isEmpty)
            #expect(head.headers[.contentLength] != "0")
        }
    }

    @Test("an idempotent call is done once and answered as often as it is sent")
    func idempotency() async throws {
        try await Fixture.run { api in
            try await api.prepare()
            let body: JSONValue = ["metadata": ["name": "two"], "spec": ["kind": "universal"]]
            let path = "/v1/tenants/acme/clusters"
            let first = try await api.send("POST", path, body, ["Idempotency-Key": "k1"])
            #expect(first.status == 201, "\(first.text)")
            let again = try await api.send("POST", path, body, ["Idempotency-Key": "k1"])
            #expect(again.status == 201)
            #expect(again.text == first.text)
            #expect(again.tag == first.tag)
            #expect(again.headers[.idempotencyReplayed] == "true")
            let other: JSONValue = ["metadata": ["name": "three"], "spec": ["kind": "universal"]]
            let mismatch = try await api.send("POST", path, other, ["Idempotency-Key": "k1"])
            #expect(mismatch.status == 422)
            #expect(try await api.send("POST", path, body).status == 409)
        }
    }

    @Test("of many who create the same object at the same moment one does, and the others are told")
    func creationRaces() async throws {
        try await Fixture.run { api in
            try await api.prepare()
            let named = Fixture.reviews.merged(with: ["metadata": ["name": "new"]])
            for (method, name, path, headers, refusal) in [
                ("POST", "new", "", [:], 409), ("PUT", "put", "/put", [:], 428),
                ("PUT", "absent", "/absent", ["If-None-Match": "*"], 412),
            ] {
                let statuses = try await withThrowingTaskGroup(of: Int.self) { group in
                    for _ in 0..<8 {
                        group.addTask {
                            let body = method == "POST" ? named : Fixture.reviews
                            return try await api.send(method, Fixture.shop + "/services" + path, body, headers).status
                        }
                    }
                    return try await group.reduce(into: []) { $0.append($1) }
                }
                #expect(statuses.sorted() == [201] + Array(repeating: refusal, count: 7))
                let created = try await api.get(Fixture.shop + "/services/\(name)")
                #expect(created.body["metadata"]?["generation"] == 1)
            }
        }
    }

    @Test("lists come in pages, filtered by labels")
    func lists() async throws {
        try await Fixture.run { api in
            try await api.prepare()
            for index in 0..<5 {
                let body: JSONValue = [
                    "metadata": ["labels": ["parity": index % 2 == 0 ? "even" : "odd"]],
                    "spec": ["ports": [["name": "http", "port": 80]]],
                ]
                #expect(try await api.send("PUT", Fixture.shop + "/services/s\(index)", body).status == 201)
            }
            var names: [String] = []
            var path = Fixture.shop + "/services?pageSize=2"
            while true {
                let page = try await api.get(path)
                #expect(page.status == 200, "\(page.text)")
                names += (page.body["items"]?.arrayValue ?? []).compactMap { $0["metadata"]?["name"]?.stringValue }
                guard let token = page.body["nextPageToken"]?.stringValue else { break }
                path = Fixture.shop + "/services?pageSize=2&pageToken=\(token)"
            }
            #expect(names == ["reviews", "s0", "s1", "s2", "s3", "s4"])
            let even = try await api.get(Fixture.shop + "/services?labelSelector=parity%3Deven")
            #expect(even.body["items"]?.arrayValue?.count == 3)
            #expect(try await api.get("/v1/tenants/nobody/clusters").status == 404)
            #expect(try await api.get(Fixture.shop + "/services/none/endpoints").status == 404)
        }
    }

    @Test("validateOnly answers the same and writes nothing")
    func dryRun() async throws {
        try await Fixture.run { api in
            try await api.prepare()
            let path = Fixture.shop + "/services/other"
            let dry = try await api.send("PUT", path + "?validateOnly=true", Fixture.reviews)
            #expect(dry.status == 201)
            #expect(dry.body["spec"]?["versions"] != nil)
            #expect(try await api.get(path).status == 404)
            let deletion = try await api.send(
                "DELETE", Fixture.shop + "/services/reviews/endpoints/e1?validateOnly", headers: ["If-Match": "*"])
            #expect(deletion.status == 204)
            #expect(try await api.get(Fixture.shop + "/services/reviews/endpoints/e1").status == 200)
        }
    }

    @Test("unknown fields are warnings when asked for")
    func fieldValidation() async throws {
        try await Fixture.run { api in
            try await api.prepare()
            let body: JSONValue = ["spec": ["displayName": "x", "color": "red"]]
            let strict = try await api.send("PUT", "/v1/tenants/acme", body, ["If-Match": "*"])
            #expect(strict.status == 400)
            #expect(strict.errors == ["/spec/color unknownField"])
            let warned = try await api.send("PUT", "/v1/tenants/acme?fieldValidation=warn", body, ["If-Match": "*"])
            #expect(warned.status == 200)
            #expect(warned.body["warnings"]?.arrayValue?.first?["pointer"] == "/spec/color")
            #expect(warned.body["spec"] == ["displayName": "x"])
        }
    }

    @Test("what was answered can be edited and sent back")
    func roundTrip() async throws {
        try await Fixture.run { api in
            try await api.prepare()
            #expect(try await api.send("PUT", Fixture.shop + "/releases/r", Fixture.release).status == 201)
            for path in [
                "/v1/tenants/acme", "/v1/tenants/acme/clusters/dev", Fixture.shop + "/services/reviews",
                Fixture.shop + "/services/reviews/endpoints/e1", Fixture.shop + "/releases/r",
            ] {
                let first = try await api.get(path)
                let answer = try await api.send("PUT", path, first.body, ["If-Match": first.tag])
                #expect(answer.status == 200, "\(path): \(answer.text)")
                #expect(answer.body["metadata"]?["generation"] == first.body["metadata"]?["generation"], "\(path)")
                #expect(answer.tag == first.tag, "\(path): nothing changed, so nothing may be written")
            }
        }
    }

    @Test("every answer has its request's id, a time, and tells the methods of a path")
    func everyAnswer() async throws {
        try await Fixture.run({ $0.allowedOrigins = ["https://console.example.com"] }) { api in
            let given = try await api.get("/healthz", ["X-Request-Id": "abc", "Origin": "https://console.example.com"])
            #expect(given.headers[.requestId] == "abc")
            #expect(given.headers[.serverTiming]?.hasPrefix("total;dur=") == true)
            #expect(given.headers[.accessControlAllowOrigin] == "https://console.example.com")
            let foreign = try await api.get("/healthz", ["Origin": "https://evil.example.com"])
            #expect(foreign.headers[.accessControlAllowOrigin] == nil)
            #expect(foreign.headers[.requestId]?.hasPrefix("req-") == true)
            let preflight = try await api.send(
                "OPTIONS", "/v1/tenants/acme", headers: ["Origin": "https://console.example.com"], token: nil)
            #expect(preflight.status == 204)
            #expect(preflight.headers[.accessControlAllowMethods]?.contains("PATCH") == true)
            let method = try await api.send("POST", "/v1/tenants/acme", [:])
            #expect(method.status == 405)
            #expect(method.headers[.allow] == "DELETE, GET, HEAD, OPTIONS, PATCH, PUT")
            for (path, text) in [
                ("/metrics", "other_source_total 1"), ("/docs", "<!doctype"),
            ] {
                #expect(try await api.get(path, token: nil).text.contains(text))
            }
            #expect(try await api.get("/readyz", token: nil).status == 200)
            #expect(try await api.get("/version", token: nil).body["version"] == "0.1.0")
            #expect(try await api.get("/v1/whoami").body["role"] == "platformAdmin")
        }
    }

    @Test("each request is counted by method, route and status, and what clients invent shares a label")
    func counted() async throws {
        try await Fixture.run { api in
            for (method, path) in [
                ("GET", "/healthz"), ("GET", "/v1/tenants/nobody"), ("GET", "/nowhere"), ("BREW", "/healthz"),
                ("BREW", "/nowhere"), ("SIP", "/nowhere"),
            ] { _ = try await api.send(method, path) }
            let counted = try await api.get("/metrics", token: nil).text.split(separator: "\n").filter {
                $0.hasPrefix("sluice_http_requests_total{")
                    || $0.hasPrefix("sluice_http_request_duration_seconds_count{")
            }
            #expect(
                counted == [
                    #"sluice_http_request_duration_seconds_count{route="/healthz"} 1"#,
                    #"sluice_http_request_duration_seconds_count{route="/v1/tenants/{tenant}"} 1"#,
                    #"sluice_http_request_duration_seconds_count{route="unknown"} 4"#,
                    #"sluice_http_requests_total{method="GET",route="/healthz",status="200"} 1"#,
                    #"sluice_http_requests_total{method="GET",route="/v1/tenants/{tenant}",status="404"} 1"#,
                    #"sluice_http_requests_total{method="GET",route="unknown",status="404"} 1"#,
                    #"sluice_http_requests_total{method="other",route="unknown",status="404"} 2"#,
                    #"sluice_http_requests_total{method="other",route="unknown",status="405"} 1"#,
                ])
        }
    }

    @Test("without the database: 503 that says when to come back, and alive all the same")
    func databaseAway() async throws {
        try await Fixture.run { api in
            api.pool.close()
            let answer = try await api.get("/v1/tenants/acme")
            #expect(answer.status == 503)
            #expect(answer.headers[.retryAfter] != nil)
            let ready = try await api.get("/readyz", token: nil)
            #expect(ready.status == 503)
            #expect(ready.body["reasons"]?.arrayValue?.isEmpty == false)
            #expect(try await api.get("/healthz", token: nil).status == 200)
        }
    }
}
