import Documents
import HTTPTypes
import MeshControl
import MeshCore
import MeshIdentity
import MeshModel
import MeshStore
import NIOCore
import NIOPosix
import ServiceLifecycle
import StoreFixtures
import TestSupport
import Testing

@testable import MeshAPI

@Suite("The life of event streams", .timeLimit(.minutes(2)))
struct WatchLifeTests {
    private static let services = Fixture.shop + "/services"

    @Test("a heartbeat comes with every interval, and says how far the client is")
    func heartbeat() async throws {
        try await WatchFixture.run { api in
            try await api.writer.prepare()
            try await api.watch(Self.services) { events in
                let synced = try #require(try await events.events(through: "synced").last?.id)
                try await api.clock.advance(by: .seconds(15))
                #expect(try await events.next() == .init(name: nil, id: synced, data: .null))
                // Not of this list; the client need not hear of it again.
                let answer = try await api.writer.send(
                    "PUT", Self.services + "/reviews/endpoints/e3", Fixture.endpoint("v1", 18_083))
                let revision = try #require(answer.body["metadata"]?["revision"]?.integerValue)
                try await until("the heartbeat is up to date") {
                    try await api.clock.advance(by: .seconds(15))
                    return try await events.next() == .init(name: nil, id: revision, data: .null)
                }
            }
        }
    }

    @Test("a heartbeat that falls due while something is written comes after it")
    func heartbeatDuringWrite() async throws {
        let streams = EventStreams(limit: 1, limitPerTenant: 1)
        let place = try streams.open(of: #require(Name("acme")))
        let clock = ManualClock()
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await streams.run(every: .seconds(15), clock: clock) }
            place.beginWriting()
            try await clock.advance(by: .seconds(15))
            try await until("it fell due") { clock.sleepers == 1 }
            #expect(!place.takeHeartbeat())
            place.endWriting()
            #expect(place.takeHeartbeat() && !place.takeHeartbeat())
            group.cancelAll()
        }
    }

    @Test("a key that is revoked ends its streams")
    func revocation() async throws {
        try await WatchFixture.run { api in
            try await api.writer.prepare()
            let key = try await api.writer.send("POST", "/v1/tenants/acme/apiKeys", ["id": "ci", "role": "viewer"])
            let token = try #require(key.body["token"]?.stringValue)
            try await api.watch(Self.services, token: token) { events in
                _ = try await events.events(through: "synced")
                #expect(try await api.writer.send("DELETE", "/v1/tenants/acme/apiKeys/ci").status == 204)
                // The server remembers keys for a few seconds.
                try await until("the stream has ended") {
                    try await api.clock.advance(by: .seconds(15))
                    return try await events.next() == nil
                }
            }
            try await until("the stream is closed") { api.streams == 0 }
        }
    }

    @Test("streams end when the tenant does")
    func deletedTenant() async throws {
        try await WatchFixture.run { api in
            #expect(try await api.writer.send("PUT", "/v1/tenants/acme", ["spec": [:]]).status == 201)
            try await api.watch(Self.services) { events in
                _ = try await events.events(through: "synced")
                #expect(
                    try await api.writer.send("DELETE", "/v1/tenants/acme", headers: ["If-Match": "*"]).status == 204)
                #expect(try await events.next() == nil)
            }
        }
    }

    @Test("a server that shuts down ends its streams, properly")
    func shutdown() async throws {
        try await WatchFixture.run { api in
            try await api.writer.prepare()
            try await api.watch(Self.services) { events in
                _ = try await events.events(through: "synced")
                await api.group.triggerGracefulShutdown()
                #expect(try await events.next() == nil)
            }
            try await until("the stream is closed") { api.streams == 0 }
        }
    }

    @Test("there are no more streams than may be, of a tenant and in all")
    func limits() async throws {
        try await WatchFixture.run {
            $0.watchLimit = 2
            $0.watchLimitPerTenant = 1
        } _: { api in
            try await api.writer.prepare()
            for tenant in ["other", "third"] {
                #expect(try await api.writer.send("PUT", "/v1/tenants/\(tenant)", ["spec": [:]]).status == 201)
            }
            try await api.watch(Self.services) { events in
                _ = try await events.events(through: "synced")
                let second = try await api.server.get(Self.services, ["Accept": "text/event-stream"])
                #expect(second.status == 429 && second.code == "tooManyWatches")
                #expect(second.headers[.retryAfter] == "10")
                try await api.watch("/v1/tenants/other/clusters") { others in
                    _ = try await others.events(through: "synced")
                    let third = try await api.server.get(
                        "/v1/tenants/third/clusters", ["Accept": "text/event-stream"])
                    #expect(third.status == 503 && third.code == "tooManyWatches")
                    #expect(try await api.server.get("/metrics").text.contains("sluice_http_event_streams 2\n"))
                }
            }
            try await until("both are closed") { api.streams == 0 }
            let again = try await api.watch(Self.services) { try await $0.next() }
            #expect(again?.name == "changed")
        }
    }

    @Test("a client that does not read is closed after some heartbeats")
    func slowClient() async throws {
        try await WatchFixture.run { api in
            try await api.writer.prepare()
            // Far more than sockets hold.
            for number in 0..<32 { try await Self.put("big-\(number)", 1_000_000, in: api.writer) }
            try await Self.silentClient(of: api) {
                try await until("the stream is open") { api.streams == 1 }
                var beats = 0
                try await until("the stream is given up") {
                    try await api.clock.advance(by: .seconds(15))
                    beats += 1
                    return api.streams == 0
                }
                #expect(beats >= EventStreams.patience)
            }
        }
    }

    @Test("what was not read in time is told once, as it is in the end")
    func newestState() async throws {
        try await WatchFixture.run { api in
            try await api.writer.prepare()
            let key = try Self.key("reviews")
            let watch = try await api.server.control.watch(
                .service, in: ObjectScope(key), labels: [], after: nil, by: .platformAdministrator)
            var reader = watch.reader
            #expect(try await reader.next()?.count == 1)
            #expect(try await reader.next() == nil)
            for size in 1...50 { try await Self.put("reviews", size, in: api.writer) }
            try await Self.put("other", 1, in: api.writer)
            let end = try #require(try await api.writer.control.store.meshRevision(Self.mesh()))
            var told: [FeedEntry] = []
            for await _ in watch.wakeups {
                while let entries = try await reader.next() { told += entries }
                if reader.revision == end { break }
            }
            // It may be read while it is written, but not again and again.
            let reviews = try await api.writer.control.store.fetch(key)
            #expect(told.last { $0.item.name == "reviews" }?.item == reviews.map(FeedItem.object))
            #expect(told.map(\.revision) == told.map(\.revision).sorted())
            #expect(Set(told.map(\.revision)).count == told.count)
        }
    }

    private static func mesh() throws -> MeshKey { MeshKey(tenant: try #require(Name("acme")), mesh: .defaultMesh) }

    private static func key(_ name: String) throws -> ObjectKey {
        .namespaced(
            .service, NamespacedName(namespace: try #require(Name("shop")), name: try #require(Name(name))),
            in: try mesh())
    }

    /// Writes a service with so many bytes in it, whatever the rules say.
    private static func put(_ name: String, _ size: Int, in api: Fixture) async throws {
        let key = try key(name)
        _ = try await api.control.store.write(
            tenant: key.tenant, mesh: key.mesh, actor: "test", requestId: "r"
        ) { transaction in
            try await transaction.put(
                key, metadata: ObjectLabels(), spec: ["padding": .string(String(repeating: "x", count: size))])
        }
    }

    /// Asks for a stream on a connection that is never read from.
    private static func silentClient(of api: WatchFixture, _ body: () async throws -> Void) async throws {
        let channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .channelOption(ChannelOptions.autoRead, value: false)
            .connect(host: "127.0.0.1", port: api.port).get()
        let request = """
            GET \(services) HTTP/1.1\r
            Host: sluice\r
            Accept: text/event-stream\r
            Authorization: Bearer \(Fixture.adminToken)\r
            \r

            """
        try await channel.writeAndFlush(ByteBuffer(string: request))
        try await body()
        // The server may have closed it.
        try? await channel.close()
    }
}

extension FeedItem {
    fileprivate var name: String? {
        guard case .object(let object) = self else { return nil }
        return object.key.name.text
    }
}
