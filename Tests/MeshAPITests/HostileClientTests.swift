import Documents
import HTTPTypes
import MeshControl
import MeshStore
import NIOCore
import NIOPosix
import Postgres
import StoreFixtures
import TestSupport
import Testing

@testable import MeshAPI

/// What clients can cost that nobody knows.
@Suite("Clients that nobody knows")
struct HostileClientTests {
    /// Sends some text and returns all that comes until the server closes the connection.
    private func exchange(_ port: Int, _ text: String) async throws -> String {
        let channel = try await connect(port)
        return try await channel.executeThenClose { inbound, outbound async throws in
            try await outbound.write(ByteBuffer(string: text))
            var answer = ""
            for try await part in inbound { answer += String(buffer: part) }
            return answer
        }
    }

    private func connect(_ port: Int) async throws -> NIOAsyncChannel<ByteBuffer, ByteBuffer> {
        try await ClientBootstrap(group: .singletonMultiThreadedEventLoopGroup).connect(host: "127.0.0.1", port: port) {
            channel in
            channel.eventLoop.makeCompletedFuture { try NIOAsyncChannel(wrappingChannelSynchronously: channel) }
        }
    }

    private func head(_ token: String, length: Int) -> String {
        """
        PUT /v1/tenants/acme HTTP/1.1\r\nHost: sluice\r\nAuthorization: Bearer \(token)\r
        Content-Type: application/json\r\nContent-Length: \(length)\r\n\r

        """
    }

    @Test("A body that does not arrive in time is answered with 408, and the connection is closed")
    func slowBody() async throws {
        try await WatchFixture.run {
            $0.bodyDeadline = .milliseconds(100)
        } _: { server async throws in
            let answer = try await exchange(server.port, head(Fixture.adminToken, length: 100) + "{")
            #expect(answer.hasPrefix("HTTP/1.1 408 "))
            #expect(answer.contains("bodyTimeout"))
            #expect(answer.lowercased().contains("connection: close"))
        }
    }

    @Test("After 401 and 413 the connection is closed: the rest of the body is not waited for", arguments: [401, 413])
    func closed(status: Int) async throws {
        try await WatchFixture.run { server async throws in
            let token = status == 401 ? "slk_nobody" : Fixture.adminToken
            let answer = try await exchange(server.port, head(token, length: 100_000_000) + "{")
            #expect(answer.hasPrefix("HTTP/1.1 \(status) "))
            #expect(answer.lowercased().contains("connection: close"))
            #expect(answer.hasSuffix("}"), "the whole answer arrives")
        }
    }

    @Test(
        "Whatever the answer, the connection is closed if the body was not read",
        arguments: [
            ("POST /healthz", 405), ("GET /healthz", 200), ("PUT /nowhere", 404), ("POST /v1/tenants/a:b", 404),
            ("GET /v1/tenants", 200),
        ])
    func unread(line: String, status: Int) async throws {
        try await WatchFixture.run { server async throws in
            let answer = try await exchange(
                server.port,
                "\(line) HTTP/1.1\r\nHost: sluice\r\nAuthorization: Bearer \(Fixture.adminToken)\r\n"
                    + "Content-Length: 1000000000\r\n\r\n1")
            #expect(answer.hasPrefix("HTTP/1.1 \(status) "))
            #expect(answer.lowercased().contains("connection: close"))
        }
    }

    @Test("Connections beyond the limit wait until another one is closed")
    func connectionLimit() async throws {
        try await WatchFixture.run {
            $0.connectionLimit = 1
        } _: { server async throws in
            let request = ByteBuffer(string: "GET /version HTTP/1.1\r\nHost: sluice\r\n\r\n")
            let closed = Counter()
            let first = try await connect(server.port)
            let second = try await connect(server.port)
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask {
                    let closedBefore = try await second.executeThenClose { inbound, outbound async throws in
                        try await outbound.write(request)
                        for try await _ in inbound { break }
                        return closed.value
                    }
                    #expect(closedBefore == 1)
                }
                try await first.executeThenClose { inbound, outbound async throws in
                    var answers = inbound.makeAsyncIterator()
                    // Time enough for the second one, if it were served.
                    for _ in 0..<50 {
                        try await outbound.write(request)
                        #expect(try await answers.next() != nil)
                    }
                    closed.increment()
                }
                try await group.waitForAll()
            }
        }
    }

    @Test("A token that cannot be a key, and one that was nobody's a moment ago, cost no statement")
    func wrongTokens() async throws {
        try await Fixture.run { api async throws in
            let unknown = "slk_nobody_" + String(repeating: "A", count: 32)
            #expect(try await api.get("/v1/whoami", token: unknown).status == 401)
            // Whoever asks the database now is told that it is away.
            api.pool.close()
            #expect(try await api.get("/v1/whoami", token: unknown).status == 401)
            let other = "slk_nobody_" + String(repeating: "B", count: 32)
            #expect(try await api.get("/v1/whoami", token: other).status == 503)
            for token in ["slk_nobody_short", "slk__" + String(repeating: "A", count: 32), "x", unknown + "!"] {
                #expect(try await api.get("/v1/whoami", token: token).status == 401, "\(token)")
            }
        }
    }

    @Test("Whether the server is ready is looked at once in a while, however often it is asked")
    func readiness() async throws {
        let looks = Counter()
        let readiness = Readiness(
            checks: [
                {
                    looks.increment()
                    return "no"
                }
            ], lifetime: .seconds(3600))
        for _ in 0..<10 { #expect(await readiness.reasons() == ["no"]) }
        #expect(looks.value == 1)
    }

    @Test("While that takes, those who ask wait for the one look; when its caller has gone, for another one's")
    func sharedReadiness() async throws {
        let (looks, answers) = (Counter(), Counter())
        let (releases, release) = AsyncStream.makeStream(of: String.self)
        let readiness = Readiness(
            checks: [
                {
                    looks.increment()
                    if looks.value > 1 { for await reason in releases { return reason } }
                    try? await hangUntilCancelled()
                    return "cancelled"
                }
            ], lifetime: .seconds(3600))
        try await withThrowingTaskGroup(of: Void.self) { group in
            let impatient = Task { await readiness.reasons() }
            try await until("somebody looks") { looks.value == 1 }
            for _ in 0..<10 {
                group.addTask {
                    #expect(await readiness.reasons() == ["slow"])
                    answers.increment()
                }
            }
            try await until("all of them wait") { readiness.waiting == 10 }
            impatient.cancel()
            try await until("another one looks") { looks.value == 2 }
            _ = await impatient.value
            #expect(readiness.waiting == 9 && answers.value == 0)
            release.yield("slow")
            try await group.waitForAll()
        }
        #expect(await readiness.reasons() == ["slow"])
        #expect(looks.value == 2)
    }
}

@Suite("A database that lets requests wait")
struct WaitingTests {
    private static let any = ["If-Match": "*"]

    /// Runs `body` while another session has locked objects.
    private static func locking(
        _ api: Fixture, _ objects: Statement, _ lock: Statement, _ body: () async throws -> Void
    ) async throws {
        try await api.pool.transaction { other async throws in
            _ = try await other.pipeline([
                "SELECT set_config('sluice.tenant', '*', true)", "SELECT 1 FROM object WHERE \(objects) \(lock)",
            ])
            try await body()
        }
    }

    @Test("endpoints are written beside each other; what they stand on is neither deleted nor changed meanwhile")
    func endpoints() async throws {
        try await Fixture.run {
            $0.deadline = .milliseconds(1000)
        } _: { api async throws in
            try await api.prepare()
            try await Self.locking(api, "kind IN ('Service', 'Cluster')", "FOR KEY SHARE") {
                let path = Fixture.shop + "/services/reviews"
                let written = try await api.send("PUT", path + "/endpoints/e3", Fixture.endpoint("v2", 18_083))
                #expect(written.status == 201, "\(written.text)")
                let one = Fixture.reviews.merged(with: ["spec": ["versions": [["name": "v1"]]]])
                #expect(try await api.send("PUT", path, one, Self.any).status == 503)
                #expect(try await api.send("DELETE", path, headers: Self.any).status == 503)
                #expect(
                    try await api.send("DELETE", "/v1/tenants/acme/clusters/dev", headers: Self.any).status == 503)
            }
        }
    }

    @Test("nobody's service is locked by rules that may not be about it")
    func strangers() async throws {
        try await Fixture.run {
            $0.deadline = .milliseconds(1000)
        } _: { api async throws in
            try await api.prepare()
            let key = try await api.send(
                "POST", "/v1/tenants/acme/apiKeys", ["role": "developer", "namespaces": ["ops"]])
            let token = try #require(key.body["token"]?.stringValue)
            let ops = Fixture.mesh + "/namespaces/ops"
            try await Self.locking(api, "kind = 'Service'", "FOR UPDATE") {
                let rules = try await api.send(
                    "PUT", ops + "/virtualServices/x", OwnershipTests.rules("reviews.shop"), token: token)
                #expect(rules.status == 403)
                #expect(rules.body["pointer"] == "/spec/hosts/0")
                let policies = try await api.send(
                    "PUT", ops + "/destinationRules/x", ["spec": ["host": "reviews.shop"]], token: token)
                #expect(policies.errors == ["/spec/host invalidValue"])
            }
        }
    }

    @Test("503 says what is waited for: another write of the same mesh, or space on the disk")
    func reasons() async throws {
        try await Fixture.run {
            $0.deadline = .milliseconds(300)
        } _: { api async throws in
            try await api.prepare()
            try await api.pool.transaction { other async throws in
                _ = try await other.pipeline([
                    "SELECT set_config('sluice.tenant', '*', true)", "UPDATE mesh SET revision = revision",
                ])
                let answer = try await api.send("PUT", Fixture.shop + "/services/other", Fixture.reviews)
                #expect(answer.status == 503)
                #expect(answer.code == "unavailable")
                #expect(answer.headers[.retryAfter] == "1")
                #expect(answer.body["detail"]?.stringValue?.contains("another write to the same mesh") == true)
            }
            try await api.pool.execute(
                script: """
                    CREATE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
                        RAISE EXCEPTION 'could not extend file' USING ERRCODE = '53100'; END $$;
                    CREATE TRIGGER full_disk BEFORE INSERT ON change EXECUTE FUNCTION full_disk();
                    """)
            let answer = try await api.send("PUT", Fixture.shop + "/services/other", Fixture.reviews)
            #expect(answer.status == 503)
            #expect(answer.headers[.retryAfter] == "10")
            #expect(answer.body["detail"]?.stringValue?.contains("no space left on its disk") == true)
        }
    }
}
