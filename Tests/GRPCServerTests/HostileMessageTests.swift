import GRPCFixtures
import HTTP2
import NIOCore
import Testing

@testable import GRPCServer

/// Every attack is one call; a second call on the same connection is served before and after it.
@Suite("gRPC server: hostile messages")
struct HostileMessageTests {
    private static let echo = ScriptedService { EchoHandler($0) }
    private static let hello: [UInt8] = [0, 0, 0, 0, 2, 7, 7]

    private func expectService(_ client: EmbeddedClient) throws {
        let answer = try client.call(body: Self.hello, end: true)
        #expect(answer.body == Self.hello)
        #expect(answer.status == .ok)
    }

    struct Attack: CustomTestStringConvertible {
        var testDescription: String
        var metadata: [HTTP2Header] = []
        var body: [UInt8]
        var end = false
        var code: GRPCStatus.Code
    }

    private static let bomb: [UInt8] = {
        let member = GzipMember([GzipPart(compressing: ByteBuffer(repeating: 0, count: 10 << 20))])
        let bytes = member.segments.flatMap { Array(buffer: $0) }
        return [1, 0] + [16, 8, 0].map { UInt8(bytes.count >> $0 & 0xff) } + bytes
    }()

    static let attacks = [
        Attack(testDescription: "message of 4 GiB", body: [0, 0xff, 0xff, 0xff, 0xff], code: .resourceExhausted),
        Attack(testDescription: "message a byte too long", body: [0, 0, 0x40, 0, 1], code: .resourceExhausted),
        Attack(testDescription: "gzip bomb", body: bomb, code: .unimplemented),
        Attack(
            testDescription: "gzip bomb that is announced", metadata: [HTTP2Header("grpc-encoding", "gzip")],
            body: bomb,
            code: .unimplemented),
        Attack(testDescription: "flag that means nothing", body: [0x80, 0, 0, 0, 0], code: .unimplemented),
        Attack(testDescription: "end in a prefix", body: [0, 0, 0], end: true, code: .internal),
        Attack(testDescription: "end in a message", body: [0, 0, 0, 0, 9, 1], end: true, code: .internal),
        Attack(
            testDescription: "timeout that is none", metadata: [HTTP2Header("grpc-timeout", "99999999999999999999H")],
            body: hello, code: .internal),
    ]

    @Test("end their call with the right status, and neither the connection nor other calls", arguments: attacks)
    func answered(_ attack: Attack) throws {
        let input = BufferedInput()
        let server = try EmbeddedServer(Self.echo, bufferedInput: input)
        let client = try EmbeddedClient(server)
        let other = try client.call(body: Self.hello)
        let answer = try client.call(metadata: attack.metadata, body: attack.body, end: attack.end)
        #expect(answer.status?.code == attack.code)
        #expect(answer.body.isEmpty)
        #expect(input.total == 0)
        try client.send(Self.hello, on: other)
        #expect(other.body == Self.hello + Self.hello)
        try expectService(client)
        server.finish()
    }

    @Test(
        "what a status repeats of the request is short enough to be sent",
        arguments: [
            [HTTP2Header("grpc-encoding", String(repeating: "\u{fffd}", count: 5_000))],
            [HTTP2Header("grpc-timeout", String(repeating: "ü", count: 7_000))],
        ])
    func longHeaders(_ metadata: [HTTP2Header]) throws {
        let server = try EmbeddedServer(Self.echo)
        let client = try EmbeddedClient(server)
        let answer = try client.call(metadata: metadata)
        let status = try #require(answer.status)
        #expect([.unimplemented, .internal].contains(status.code))
        #expect((500...GRPCStatus.maxMessageLength).contains(status.message.utf8.count))
        try expectService(client)
    }

    @Test("a first message that does not come ends the call with DEADLINE_EXCEEDED; later ones may take their time")
    func noFirstMessage() throws {
        let server = try EmbeddedServer(Self.echo)
        let client = try EmbeddedClient(server)
        let calls = try (0..<50).map { _ in try client.call() }
        let served = try client.call(body: Self.hello)
        for _ in 0..<29 { try client.advance(by: .seconds(1)) }
        #expect(calls.allSatisfy { $0.status == nil })
        try client.advance(by: .seconds(2))
        #expect(calls.allSatisfy { $0.status?.code == .deadlineExceeded })
        for _ in 0..<60 { try client.advance(by: .seconds(10)) }
        try client.send(Self.hello, on: served)
        #expect(served.body == Self.hello + Self.hello)
        #expect(served.status == nil)
    }

    @Test("a message that trickles in ends the call with DEADLINE_EXCEEDED, and nothing of it is kept")
    func trickle() throws {
        let input = BufferedInput()
        let server = try EmbeddedServer(Self.echo, bufferedInput: input)
        let client = try EmbeddedClient(server)
        let slow = try client.call(body: Self.hello + [0, 0, 0, 0, 100])
        for _ in 0..<29 {
            try client.advance(by: .seconds(1))
            #expect(slow.status == nil)
            try client.send([0], on: slow)
        }
        #expect(input.total == 5 + 29)
        try client.advance(by: .seconds(2))
        #expect(slow.status?.code == .deadlineExceeded)
        #expect(slow.body == Self.hello)
        #expect(input.total == 0)
        try expectService(client)
    }

    @Test("every message has its own time")
    func slowButSteady() throws {
        let server = try EmbeddedServer(Self.echo)
        let client = try EmbeddedClient(server)
        let answer = try client.call(body: Array(Self.hello.prefix(3)))
        for _ in 0..<20 {
            try client.advance(by: .seconds(20))
            try client.send(Array(Self.hello.dropFirst(3) + Self.hello.prefix(3)), on: answer)
        }
        #expect(answer.body.count == 20 * Self.hello.count)
        #expect(answer.status == nil)
    }

    /// A prefix that announces 100 kB, and half of them.
    private static let half: [UInt8] = [0, 0, 1, 0x86, 0xa0] + [UInt8](repeating: 0, count: 50_000)

    @Test("unfinished messages of many calls are bounded per connection, and given back when they end")
    func unfinishedMessages() throws {
        let input = BufferedInput()
        let server = try EmbeddedServer(Self.echo, bufferedInput: input, configure: { $0.maxBufferedInput = 1 << 20 })
        let client = try EmbeddedClient(server)
        let calls = try (0..<60).map { _ in try client.call(body: Self.half) }
        #expect(calls.count { $0.status == nil } == 20)
        #expect(calls.allSatisfy { $0.status == nil || $0.status?.code == .resourceExhausted })
        #expect((20 * 50_000...1 << 20).contains(input.total))
        try expectService(client)
        try client.advance(by: .seconds(31))
        #expect(calls.count { $0.status?.code == .deadlineExceeded } == 20)
        #expect(input.total == 0)
    }

    @Test("unfinished messages of many connections are bounded together, and those that hold little do not lose theirs")
    func unfinishedMessagesOfMany() throws {
        let input = BufferedInput()
        func connect() throws -> (EmbeddedServer, EmbeddedClient) {
            let server = try EmbeddedServer(
                Self.echo, bufferedInput: input, configure: { $0.maxTotalBufferedInput = 1 << 20 })
            return (server, try EmbeddedClient(server))
        }
        let greedy = try (0..<10).map { _ in try connect() }
        let calls = try greedy.flatMap { _, client in try (0..<5).map { _ in try client.call(body: Self.half) } }
        #expect(calls.contains { $0.status?.code == .resourceExhausted })
        #expect(input.total <= 1 << 20 + 10 * 64 << 10)

        let (server, modest) = try connect()
        let answer = try modest.call(body: Array(Self.hello.prefix(6)))
        try modest.send(Array(Self.hello.dropFirst(6)), on: answer)
        #expect(answer.body == Self.hello)
        for (server, _) in greedy { server.finish() }
        #expect(input.total == 0)
        server.finish()
    }
}
