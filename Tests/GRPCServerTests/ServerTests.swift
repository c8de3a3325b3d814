import GRPCServer
import HTTP2
import Logging
import NIOCore
import NIOPosix
import TestSupport
import NIOSSL
import Testing

@Suite("gRPC server over sockets", .timeLimit(.minutes(1)))
struct ServerTests {
    private static let echo = ScriptedService { EchoHandler($0) }

    @Test("messages of every size come back in order, then the status", arguments: [[0], [1, 0, 70_000], [3_000_000]])
    func echoes(sizes: [Int]) async throws {
        try await withServer(Self.echo) { _, address in
            let client = try await TestClient(address)
            let messages = sizes.map { [UInt8](repeating: 9, count: $0) }
            let events = await client.call(sending: messages, halfClose: true).all()
            #expect(events == messages.map { .message($0) } + [.closed(.ok)])
            client.close()
        }
    }

    @Test("a hundred calls share a connection")
    func manyCalls() async throws {
        try await withServer(Self.echo) { _, address in
            let client = try await TestClient(address)
            let streams = (0..<100).map { client.call(sending: [[UInt8($0)]], halfClose: true) }
            for (index, stream) in streams.enumerated() {
                #expect(await stream.all() == [.message([UInt8(index)]), .closed(.ok)])
            }
            client.close()
        }
    }

    @Test("a call is opened with path, metadata and peer, and may be refused with any status")
    func metadata() async throws {
        let journal = Journal()
        let service = ScriptedService { call in
            journal.add(
                "\(call.path) \(call.metadata.values("x-id")) \(call.connection.peer != nil) \(call.connection.isTLS)")
            call.finish(GRPCStatus(.unauthenticated, "no token: ünïcode %"))
            return nil
        }
        try await withServer(service) { _, address in
            let client = try await TestClient(address)
            let metadata = [HTTP2Header("x-id", "1"), HTTP2Header("x-id", "2")]
            let events = await client.call("/p.S/M", metadata: metadata, sending: [[1]]).all()
            #expect(events == [.closed(GRPCStatus(.unauthenticated, "no token: ünïcode %"))])
            #expect(journal.entries == [#"/p.S/M ["1", "2"] true false"#])
            client.close()
        }
    }

    @Test("what no service takes is UNIMPLEMENTED")
    func unimplemented() async throws {
        try await withServer(ScriptedService { _ in nil }) { _, address in
            let client = try await TestClient(address)
            let events = await client.call("/p.S/M").all()
            #expect(events == [.closed(GRPCStatus(.unimplemented, "unknown method /p.S/M"))])
            client.close()
        }
    }

    @Test("the deadline of a call is kept")
    func deadline() async throws {
        let journal = Journal()
        try await withServer(ScriptedService { EchoHandler($0, journal) }) { _, address in
            let client = try await TestClient(address)
            let events = await client.call(metadata: [HTTP2Header("grpc-timeout", "20m")]).all()
            #expect(events == [.closed(GRPCStatus(.deadlineExceeded, "the deadline of the call has passed"))])
            await journal.wait { $0.contains { $0.hasPrefix("closed finished") } }
            client.close()
        }
    }

    @Test("a message over the limit, and a request that ends inside one, end the call and not the connection")
    func badMessages() async throws {
        try await withServer(Self.echo, configure: { $0.maxMessageSize = 1000 }) { _, address in
            let client = try await TestClient(address)
            let events = await client.call(sending: [[UInt8](repeating: 0, count: 1001)]).all()
            #expect(events == [.closed(GRPCStatus(.resourceExhausted, "message of 1001 bytes; the limit is 1000"))])
            #expect(await client.call(sending: [[1]], halfClose: true).all() == [.message([1]), .closed(.ok)])
            client.close()
        }
    }

    @Test("half-received messages are bounded per connection")
    func bufferedInput() async throws {
        try await withServer(Self.echo, configure: { $0.maxBufferedInput = 100_000 }) { _, address in
            let client = try await TestClient(address)
            let events = await client.call(sending: [[UInt8](repeating: 0, count: 200_000)]).all()
            #expect(
                events == [.closed(GRPCStatus(.resourceExhausted, "too much of unfinished messages"))])
            client.close()
        }
    }

    @Test("a handler is told once how its call ended: reset, lost connection")
    func closeReasons() async throws {
        let journal = Journal()
        try await withServer(ScriptedService { EchoHandler($0, journal) }) { _, address in
            let client = try await TestClient(address)
            let (events, continuation) = AsyncStream.makeStream(of: Inbox.Event.self)
            let loop = client.connection.eventLoop
            let call = try await loop.submit {
                let call = client.connection.value.open("/test.Test/Echo", handler: Inbox(continuation))
                call.send(OutboundMessage(ByteBuffer(bytes: [1])))
                return NIOLoopBound(call, eventLoop: loop)
            }.get()
            await journal.wait { $0 == ["message 1"] }
            loop.execute { call.value.cancel() }
            _ = await events.all()
            await journal.wait { $0 == ["message 1", "closed cancelled(8)"] }

            let second = client.call(sending: [[1, 2]])
            await journal.wait { $0.contains("message 2") }
            client.close()
            _ = await second.all()
            await journal.wait { $0.last == "closed connectionLost" && $0.count == 4 }
        }
    }

    @Test("TLS: the call sees the client's verified certificate")
    func tls() async throws {
        let journal = Journal()
        let service = ScriptedService { call in
            let expected = try? TestCertificate.certificate.toDERBytes()
            journal.add("\(call.connection.isTLS) \(call.connection.peerCertificateDER == expected)")
            return EchoHandler(call)
        }
        let context = try TestCertificate.server(verifyingClients: true)
        let listener = GRPCServer.Listener(.host("127.0.0.1", port: 0), tls: { context })
        try await withServer(service, listeners: [listener]) { _, address in
            let client = try await TestClient(address, tls: TestCertificate.client(presenting: true))
            let body = [UInt8](repeating: 5, count: 400_000)
            #expect(await client.call(sending: [body], halfClose: true).all() == [.message(body), .closed(.ok)])
            #expect(journal.entries == ["true true"])
            client.close()

            let stranger = try await TestClient(address, tls: TestCertificate.client())
            let refused = await stranger.call(sending: [[1]]).all()
            #expect(refused.count == 1)
            #expect(refused.first != .closed(.ok))
        }
    }

    @Test("a Unix domain socket serves as well")
    func unixSocket() async throws {
        let path = "/tmp/grpc-test-\(UInt64.random(in: 0 ... .max)).sock"
        try await withServer(Self.echo, listeners: [.init(.unixDomainSocket(path: path))]) { _, address in
            let client = try await TestClient(address)
            #expect(await client.call(sending: [[1]], halfClose: true).all() == [.message([1]), .closed(.ok)])
            client.close()
        }
    }

    @Test("connections above the limit are told so and closed, the others live")
    func maxConnections() async throws {
        try await withServer(Self.echo, configure: { $0.maxConnections = 1 }) { server, address in
            let first = try await TestClient(address)
            #expect(await first.call(sending: [[1]], halfClose: true).all().last == .closed(.ok))
            let second = try await TestClient(address)
            guard case .closed(let status) = await second.call(sending: [[1]]).all().last else {
                throw GRPCStatus(.unknown)
            }
            #expect(status.code == .resourceExhausted)
            #expect(status.message.contains("at most 1 connections (limit connections)"))
            #expect(await first.call(sending: [[1]], halfClose: true).all().last == .closed(.ok))
            first.close()
        }
    }

    @Test("run() throws when the address is taken, and so does addresses()")
    func addressInUse() async throws {
        try await withServer(Self.echo) { _, address in
            let taken = GRPCServer.Configuration(
                listeners: [.init(.host("127.0.0.1", port: try #require(address.port)))])
            let second = GRPCServer(
                configuration: taken, service: Self.echo, eventLoopGroup: MultiThreadedEventLoopGroup.singleton,
                logger: Logger(label: "test"))
            await #expect(throws: (any Error).self) { try await second.run() }
            await #expect(throws: (any Error).self) { _ = try await second.addresses() }
        }
    }

    @Test("connections that nobody can be told about any more are closed at once")
    func maxRefusedConnections() async throws {
        try await withServer(
            Self.echo,
            configure: {
                $0.maxConnections = 1
                $0.maxRefusedConnections = 1
            }
        ) { server, address in
            let first = try await TestClient(address)
            #expect(await first.call(sending: [[1]], halfClose: true).all().last == .closed(.ok))
            func refusal() async throws -> GRPCStatus.Code {
                let client = try await TestClient(address)
                guard case .closed(let status) = await client.call(sending: [[1]]).all().last else {
                    throw GRPCStatus(.unknown)
                }
                return status.code
            }
            // It asks for nothing, so it is not told yet.
            var silent = try await TestClient(address)
            try await until("it is there") {
                if try await refusal() == .unavailable { return true }
                // On its own event loop it may have come later than who asks: then it was closed itself.
                silent.close()
                silent = try await TestClient(address)
                return false
            }
            silent.close()
            try await until("there is room to tell") { try await refusal() == .resourceExhausted }
            #expect(await first.call(sending: [[1]], halfClose: true).all().last == .closed(.ok))
            first.close()
        }
    }

    @Test("connections of one address above its limit are told so and closed, and make room when they end")
    func maxConnectionsPerAddress() async throws {
        try await withServer(Self.echo, configure: { $0.maxConnectionsPerAddress = 1 }) { server, address in
            let first = try await TestClient(address)
            #expect(await first.call(sending: [[1]], halfClose: true).all().last == .closed(.ok))
            let second = try await TestClient(address)
            guard case .closed(let status) = await second.call(sending: [[1]]).all().last else {
                throw GRPCStatus(.unknown)
            }
            #expect(status.code == .resourceExhausted)
            #expect(status.message.contains("at most 1 connections from one address (limit connectionsPerAddress)"))
            // Its end makes no room: it never had any.
            second.close()
            let again = try await TestClient(address)
            guard case .closed(let still) = await again.call(sending: [[1]]).all().last else {
                throw GRPCStatus(.unknown)
            }
            #expect(still.code == .resourceExhausted)
            first.close()
            try await until("the first one is gone") { server.connectionCount == 0 }
            let third = try await TestClient(address)
            #expect(await third.call(sending: [[1]], halfClose: true).all().last == .closed(.ok))
            third.close()
        }
    }
}
