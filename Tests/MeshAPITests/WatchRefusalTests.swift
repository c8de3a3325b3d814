import Documents
import HTTPTypes
import MeshControl
import MeshStore
import Testing

@testable import MeshAPI

@Suite("Event streams that are not served", .timeLimit(.minutes(2)))
struct WatchRefusalTests {
    private static let services = Fixture.shop + "/services"
    private static let accept = ["Accept": "text/event-stream"]

    @Test("an id that is none is refused, one that is too old or from nowhere is gone")
    func ids() async throws {
        try await Fixture.run { api in
            try await api.prepare()
            let hostile = [
                "x", "-1", "+1", "1.0", "0x1", "1 2", "9223372036854775808", String(repeating: "9", count: 4000),
                "١", "null", "1,2",
            ]
            for id in hostile {
                let answer = try await api.get(Self.services, ["Accept": "text/event-stream", "Last-Event-ID": id])
                #expect(answer.status == 400 && answer.code == "invalidHeader", "\(id): \(answer.text)")
            }
            for id in ["9223372036854775807", "1000000"] {
                let answer = try await api.get(Self.services, ["Accept": "text/event-stream", "Last-Event-ID": id])
                #expect(answer.status == 410 && answer.code == "revisionGone", "\(id)")
                #expect(answer.headers[.contentType] == "application/problem+json")
            }
            // Older than in an hour from now: everything.
            try await api.control.store.compactChanges(olderThan: .seconds(-3600))
            let old = try await api.get(Self.services, ["Accept": "text/event-stream", "Last-Event-ID": "1"])
            #expect(old.status == 410 && old.code == "revisionGone")
            #expect(api.server.streams.count == 0)
        }
    }

    @Test("parameters of pages are refused, all at once")
    func paging() async throws {
        try await Fixture.run { api in
            try await api.prepare()
            let answer = try await api.get(
                Self.services + "?pageSize=10&pageToken=x&labelSelector=bad", Self.accept)
            #expect(answer.status == 400)
            #expect(
                answer.errors.sorted() == [
                    "/query/labelSelector invalidFormat", "/query/pageSize conflict", "/query/pageToken conflict",
                ])
        }
    }

    @Test("who may not list may not watch, and what is not there cannot be watched")
    func access() async throws {
        try await Fixture.run { api in
            try await api.prepare()
            #expect(try await api.send("PUT", "/v1/tenants/other", ["spec": [:]]).status == 201)
            func key(_ tenant: String, _ body: JSONValue) async throws -> String {
                let answer = try await api.send("POST", "/v1/tenants/\(tenant)/apiKeys", body)
                return try #require(answer.body["token"]?.stringValue)
            }
            let foreign = try await key("other", ["role": "tenantAdmin"])
            let narrow = try await key("acme", ["role": "viewer", "namespaces": ["bank"]])
            for path in ["/v1/tenants/acme/clusters", Self.services, Self.services + "/reviews/endpoints"] {
                #expect(try await api.get(path, Self.accept, token: foreign).status == 404)
                #expect(try await api.get(path, Self.accept, token: narrow).status == 403)
                #expect(try await api.get(path, Self.accept, token: nil).status == 401)
            }
            for path in ["/v1/tenants/nobody/clusters", Self.services + "/nothing/endpoints"] {
                #expect(try await api.get(path, Self.accept).status == 404)
            }
        }
    }

    @Test("what is no list with an order of its changes has no stream")
    func notWatchable() async throws {
        try await Fixture.run { api in
            try await api.prepare()
            for path in ["/v1/tenants", "/v1/tenants/acme/apiKeys", Self.services + "/reviews", "/v1/whoami"] {
                let answer = try await api.get(path, Self.accept)
                #expect(answer.status == 406 && answer.code == "notAcceptable", "\(path)")
                #expect(try await api.get(path, ["Accept": "text/event-stream, */*"]).status == 406)
                #expect(try await api.get(path, ["Accept": "*/*"]).status == 200)
            }
        }
    }

    @Test(
        "JSON is answered unless the client would rather have events",
        arguments: [
            "", "*/*", "application/json", "text/*", "text/event-stream;q=0", "text/event-stream; q=x",
            "application/json, text/event-stream", "text/event-stream;q=0.5, application/*;q=0.7", ",;,", ";q=1",
            "text/event-streams", "TEXT/HTML",
        ])
    func json(_ accept: String) async throws {
        try await Fixture.run { api in
            try await api.prepare()
            let answer = try await api.get(Self.services, ["Accept": accept])
            #expect(answer.status == 200 && answer.headers[.contentType] == "application/json")
        }
    }

    @Test("HEAD tells what GET would, and leaves nothing open")
    func head() async throws {
        try await Fixture.run { api in
            try await api.prepare()
            let answer = try await api.send(
                "HEAD", Self.services, headers: ["Accept": "application/json;q=0.5, Text/Event-Stream"])
            #expect(answer.status == 200 && answer.headers[.contentType] == "text/event-stream")
            #expect(answer.headers[.contentLength] == nil)
            #expect(api.server.streams.count == 0)
        }
    }
}
