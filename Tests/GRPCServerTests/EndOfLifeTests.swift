import GRPCFixtures
import GRPCServer
import HTTP2
import NIOCore
import NIOEmbedded
import Synchronization
import Testing

@Suite("gRPC server: backpressure and the end of connections", .timeLimit(.minutes(2)))
struct EndOfLifeTests {
    @Test("shutdown tells the handlers, and run() returns when they have finished")
    func gracefulShutdown() async throws {
        let journal = Journal()
        try await withServer(ScriptedService { EchoHandler($0, journal) }, configure: { $0.gracePeriod = .seconds(30) })
        {
            server, address in
            let client = try await TestClient(address)
            let events = client.call(sending: [[1]])
            await journal.wait { $0 == ["message 1"] }
            server.shutdown()
            #expect(await events.all() == [.message([1]), .closed(GRPCStatus(.unavailable, "draining"))])
        }
        #expect(journal.entries.dropFirst().first == "draining")
        #expect(journal.entries.count == 3)
    }

    @Test("nothing of a connection is kept when it is over, whatever its calls wait for")
    func lifetimes() throws {
        let server = try EmbeddedServer(ScriptedService { EchoHandler($0) }) { $0.maxConnectionAge = .hours(1) }
        do {
            let client = try EmbeddedClient(server)
            _ = try client.call()
            _ = try client.call(metadata: [HTTP2Header("grpc-timeout", "1H")], body: [0, 0, 0, 0, 1, 7])
            _ = try client.call(body: [0, 0, 0])
            #expect(server.connection != nil)
        }
        server.finish()
        #expect(server.closures == 1 && server.connection == nil)
    }

    /// Ignores everything.
    private final class Silent: GRPCCallHandler {
        private let journal: Journal
        init(_ journal: Journal) { self.journal = journal }
        func received(_ message: ByteBuffer) { journal.add("message") }
        func inputClosed() {}
        func writable() {}
        func closed(_ reason: GRPCCloseReason) { journal.add("closed") }
    }

    @Test("handlers that do not finish are ended with UNAVAILABLE after the grace period")
    func graceEnds() async throws {
        let journal = Journal()
        try await withServer(ScriptedService { _ in Silent(journal) }) { server, address in
            let client = try await TestClient(address)
            let events = client.call(sending: [[1]])
            await journal.wait { $0 == ["message"] }
            server.shutdown()
            #expect(
                await events.all() == [.closed(GRPCStatus(.unavailable, "the server closes this connection"))])
        }
        #expect(journal.entries == ["message", "closed"])
    }

    @Test("a connection that has reached its age is closed in the same way")
    func age() async throws {
        let journal = Journal()
        try await withServer(
            ScriptedService { EchoHandler($0, journal) }, configure: { $0.maxConnectionAge = .seconds(1) }
        ) { _, address in
            let client = try await TestClient(address)
            #expect(await client.call(sending: [[1]]).all().last == .closed(GRPCStatus(.unavailable, "draining")))
        }
    }

    /// Sends a message of 1 MB whenever it may.
    private final class Pusher: GRPCCallHandler {
        private let call: GRPCCall
        private let sent: Counter
        private static let message = OutboundMessage(ByteBuffer(repeating: 1, count: 1_000_000))

        init(_ call: GRPCCall, _ sent: Counter) {
            self.call = call
            self.sent = sent
            push()
        }
        private func push() {
            call.send(Self.message)
            sent.value.add(1, ordering: .relaxed)
        }
        func received(_ message: ByteBuffer) {}
        func inputClosed() {}
        func writable() { push() }
        func closed(_ reason: GRPCCloseReason) {}
    }

    private final class Counter: Sendable { let value = Atomic(0) }

    @Test("a client that does not read stops its handler, and delays nobody else")
    func slowReader() async throws {
        let sent = Counter()
        let service = ScriptedService { call in
            if call.path.method == "Push" { return Pusher(call, sent) }
            return EchoHandler(call)
        }
        // Who does not read does not answer pings either, and the others' calls may take their time on a busy machine.
        try await withServer(
            service,
            configure: {
                $0.http2.keepaliveInterval = .hours(1)
                $0.messageTimeout = .hours(1)
            }
        ) { _, address in
            let slow = try await TestClient(address)
            slow.run { $0.setReading(false) }
            let events = slow.call("/test.Test/Push")
            let other = try await TestClient(address)
            for _ in 0..<50 {
                #expect(await other.call(sending: [[1]], halfClose: true).all().last == .closed(.ok))
            }
            // The windows of the client and the buffers of the kernel hold a few messages at most.
            #expect(sent.value.load(ordering: .relaxed) < 20)
            slow.run { $0.setReading(true) }
            var received = 0
            for await event in events {
                if case .message(let bytes) = event { received += bytes.count }
                if received >= 30_000_000 { break }
            }
            #expect(received >= 30_000_000)
            slow.close()
            other.close()
        }
    }

    /// Answers each message with 100 kB, whether or not it may.
    private final class Careless: GRPCCallHandler {
        private let call: GRPCCall
        private let journal: Journal
        init(_ call: GRPCCall, _ journal: Journal) {
            self.call = call
            self.journal = journal
        }
        func received(_ message: ByteBuffer) { call.send(OutboundMessage(ByteBuffer(repeating: 1, count: 100_000))) }
        func inputClosed() {}
        func writable() {}
        func closed(_ reason: GRPCCloseReason) { journal.add("\(reason)") }
    }

    @Test("a handler that queues without looking loses its call, not the server's memory")
    func queueLimit() async throws {
        let journal = Journal()
        var small = HTTP2Configuration()
        small.streamWindow = 1
        try await withServer(ScriptedService { Careless($0, journal) }, configure: { $0.maxQueuedBytes = 300_000 }) {
            _, address in
            let client = try await TestClient(address, http2: small)
            // Only after a first exchange does the server know the client's window.
            _ = client.call(sending: [[UInt8]](repeating: [1], count: 10))
            await journal.wait { !$0.isEmpty }
            #expect(journal.entries.first?.contains("the client does not read") == true)
            client.close()
        }
    }

    @Test("a connection without a call is closed soon, unless a call has shown who the client is")
    func strangers() throws {
        func server(_ body: @escaping @Sendable (GRPCCall) -> Void = { _ in }) throws -> EmbeddedServer {
            try EmbeddedServer(
                ScriptedService { call in
                    body(call)
                    return EchoHandler(call)
                }
            ) { $0.strangerTimeout = .seconds(10) }
        }
        let silent = try server()
        let nobody = try EmbeddedClient(silent)
        try nobody.advance(by: .seconds(9))
        #expect(silent.channel.isActive)
        try nobody.advance(by: .seconds(1))
        #expect(!silent.channel.isActive && silent.closures == 1)

        let busy = try server()
        let caller = try EmbeddedClient(busy)
        let call = try caller.call(body: [0, 0, 0, 0, 1, 7])
        try caller.advance(by: .seconds(20))
        #expect(busy.channel.isActive && call.status == nil, "a call is there")

        let done = try server()
        let former = try EmbeddedClient(done)
        try former.advance(by: .seconds(9))
        #expect(try former.call(body: [0, 0, 0, 0, 1, 7], end: true).status == .ok)
        try former.advance(by: .seconds(9))
        #expect(done.channel.isActive)
        try former.advance(by: .seconds(1))
        #expect(!done.channel.isActive)

        let known = try server { $0.connection.trust() }
        let friend = try EmbeddedClient(known)
        #expect(try friend.call(body: [0, 0, 0, 0, 1, 7], end: true).status == .ok)
        try friend.advance(by: .seconds(20))
        #expect(known.channel.isActive)
        for server in [silent, busy, done, known] { server.finish() }
    }
}
