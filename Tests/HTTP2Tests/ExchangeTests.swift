import HTTP2
import HTTP2Fixtures
import NIOCore
import NIOEmbedded
import Testing

@Suite("HTTP/2: client and server over memory")
struct ExchangeTests {
    /// Echoes the body and ends with a trailer.
    private func echo(_ server: Endpoint) {
        server.onRequest = { _, record in
            var hasResponded = false
            record.onBody = { stream, body in
                if !hasResponded { stream.respond([HTTP2Header(":status", "200")]) }
                hasResponded = true
                stream.write([body])
            }
            record.onInputClosed = { stream in
                if !hasResponded { stream.respond([HTTP2Header(":status", "204")]) }
                stream.end(trailers: [HTTP2Header("grpc-status", "0")])
            }
        }
    }

    @Test(
        "a body of any size comes back, whatever the borders of the reads",
        arguments: [
            (0, Int.max), (1, 1), (300, 1), (70_000, 7), (70_000, .max), (3_000_000, 1_000_000),
        ])
    func echoes(size: Int, chunk: Int) throws {
        let server = try Endpoint(.server)
        let client = try Endpoint(.client)
        echo(server)
        let body = ByteBuffer(bytes: (0..<size).map { UInt8(truncatingIfNeeded: $0 &* 31) })
        let (stream, record) = try client.request()
        stream.write([body])
        stream.end()
        try Endpoint.exchange(client, server, chunk: chunk)

        #expect(record.headers == [HTTP2Header(":status", size == 0 ? "204" : "200")])
        #expect(record.body == body)
        #expect(record.trailers == [HTTP2Header("grpc-status", "0")])
        #expect(record.closures == [.noError])
        #expect(server.records.map(\.inputClosures) == [1])
        #expect(server.records.map(\.closures) == [[.noError]])
        #expect(server.records.map(\.headers) == [Endpoint.headers])
        server.finish()
        client.finish()
        #expect((server.closures, client.closures) == (1, 1))
    }

    /// A server's stream, and what its client hears on it.
    private func opened() throws -> (Endpoint, Endpoint, HTTP2Stream, Record) {
        let server = try Endpoint(.server)
        let client = try Endpoint(.client)
        let (_, record) = try client.request()
        try Endpoint.exchange(client, server)
        return (server, client, try #require(server.streams.first), record)
    }

    @Test("what a turn of the loop produces leaves at its end, or at once when that is asked for")
    func flushing() throws {
        let (server, client, stream, record) = try opened()
        stream.respond([HTTP2Header(":status", "200")])
        stream.write([ByteBuffer(string: "a")])
        #expect(try server.written().readableBytes == 0)
        try Endpoint.exchange(client, server)
        #expect(String(buffer: record.body) == "a")

        server.connection?.flushing {
            for text in ["b", "c"] { stream.write([ByteBuffer(string: text)]) }
            #expect(throws: Never.self) { try #expect(server.written().readableBytes == 0) }
        }
        client.feed(try server.written())
        #expect(String(buffer: record.body) == "abc")
        server.finish()
        client.finish()
    }

    @Test("what a stream says as soon as it has nothing left follows at once, but never keeps the loop")
    func drained() throws {
        let (server, client, stream, record) = try opened()
        var left = 3
        server.records.first?.onDrained = { stream in
            guard left > 0 else { return }
            left -= 1
            stream.write([ByteBuffer(string: "more")])
        }
        server.connection?.flushing {
            stream.respond([HTTP2Header(":status", "200")])
            stream.write([ByteBuffer(string: "first")])
        }
        client.feed(try server.written())
        #expect(String(buffer: record.body) == "firstmoremoremore")

        left = .max
        server.connection?.flushing { stream.write([ByteBuffer(string: "endless")]) }
        let drains = server.records.map(\.drains)
        #expect(drains.allSatisfy { $0 < 20 })
        left = 0
        try Endpoint.exchange(client, server)
        #expect(record.body.readableBytes > "firstmoremoremoreendless".utf8.count)
        server.finish()
        client.finish()
    }

    @Test("a server says nothing before its client does; then its SETTINGS come first, and with the rest")
    func preface() throws {
        let server = try Endpoint(.server)
        #expect(try server.output().readableBytes == 0)
        server.onRequest = { stream, _ in stream.respond([HTTP2Header(":status", "204")], endStream: true) }
        let client = try Endpoint(.client)
        _ = try client.request()
        server.feed(try client.output())
        let answer = try #require(try server.channel.readOutbound(as: ByteBuffer.self))
        #expect(answer.getInteger(at: 3, as: UInt8.self) == 4, "SETTINGS")
        #expect(try server.channel.readOutbound(as: ByteBuffer.self) == nil)
        client.feed(answer)
        #expect(client.error == nil && client.channel.isActive)
    }

    @Test("nothing of a connection is kept when it is over", arguments: [HTTP2Role.server, .client])
    func lifetimes(_ closing: HTTP2Role) throws {
        weak var (connection, stream): (HTTP2Connection?, HTTP2Stream?)
        do {
            let (server, client) = (try Endpoint(.server), try Endpoint(.client))
            echo(server)
            _ = try client.request()
            try Endpoint.exchange(client, server)
            let first = closing == .server ? server : client
            (connection, stream) = (first.connection, server.streams.first)
            #expect(connection != nil && stream != nil)
            first.finish()
            (closing == .server ? client : server).finish()
        }
        #expect(connection == nil && stream == nil)
    }

    @Test("large segments leave as slices of the sender's memory, small ones are gathered")
    func sharesMemory() throws {
        let server = try Endpoint(.server)
        let client = try Endpoint(.client)
        let large = ByteBuffer(repeating: 7, count: 40_000)
        let small = ByteBuffer(repeating: 8, count: 20)
        server.onRequest = { stream, _ in
            stream.respond([HTTP2Header(":status", "200")])
            stream.write([small, large, small])
        }
        _ = try client.request()
        server.feed(try client.output())

        let home = unsafe large.withUnsafeReadableBytes { UInt(bitPattern: $0.baseAddress) }
        var shared = 0
        while let piece = try server.channel.readOutbound(as: ByteBuffer.self) {
            let address = unsafe piece.withUnsafeReadableBytes { UInt(bitPattern: $0.baseAddress) }
            if (home..<home + 40_000).contains(address) { shared += piece.readableBytes }
        }
        #expect(shared == 40_000)
    }

    @Test("nothing is taken from a stream while the channel is not writable; then it goes on")
    func backpressure() throws {
        let server = try Endpoint(.server)
        let client = try Endpoint(.client)
        server.onRequest = { stream, _ in stream.respond([HTTP2Header(":status", "200")]) }
        let (_, record) = try client.request()
        try Endpoint.exchange(client, server)

        let stream = try #require(server.streams.first)
        server.channel.isWritable = false
        stream.write([ByteBuffer(repeating: 1, count: 5_000)])
        #expect(try server.output().readableBytes == 0)
        #expect(stream.pendingBytes == 5_000)
        #expect(server.records[0].drains == 0)

        server.channel.isWritable = true
        server.channel.pipeline.fireChannelWritabilityChanged()
        try Endpoint.exchange(client, server)
        #expect(stream.pendingBytes == 0)
        #expect(server.records[0].drains == 1)
        #expect(record.body.readableBytes == 5_000)
    }

    @Test("a peer that grants no window holds what it asked for in our queue, once and bounded")
    func flowControl() throws {
        let server = try Endpoint(.server)
        server.onRequest = { stream, _ in
            stream.respond([HTTP2Header(":status", "200")])
            stream.write([ByteBuffer(repeating: 1, count: 100_000)])
        }
        server.feed(Frame.preface)
        server.feed(Frame.settings)
        server.feed(Frame.request(1))
        let sent = ParsedFrame.all(in: try server.output()).filter { $0.type == 0 }.reduce(0) { $0 + $1.payload.count }
        #expect(sent == 65_535)
        #expect(server.streams[0].pendingBytes == 100_000 - 65_535)

        server.feed(Frame.windowUpdate(0, 100_000))
        server.feed(Frame.windowUpdate(1, 100_000))
        #expect(server.streams[0].pendingBytes == 0)
        #expect(server.records[0].drains == 1)
    }

    @Test("a request that is answered before its end is reset with NO_ERROR")
    func earlyAnswer() throws {
        let server = try Endpoint(.server)
        server.onRequest = { stream, _ in stream.respond([HTTP2Header(":status", "200")], endStream: true) }
        server.feed(Frame.preface)
        server.feed(Frame.settings)
        server.feed(Frame.request(1))
        let frames = ParsedFrame.all(in: try server.output()).filter { $0.stream == 1 }
        #expect(frames.map(\.type) == [1, 3])
        #expect(frames.last?.errorCode == 0)
        #expect(server.records[0].closures == [.noError])
    }

    @Test("streams above the limit that the peer has not yet heard of are refused, the others live")
    func concurrency() throws {
        var configuration = HTTP2Configuration()
        configuration.maxConcurrentStreams = 2
        let server = try Endpoint(.server, configuration)
        server.feed(Frame.preface)
        server.feed(Frame.settings)
        for id: UInt32 in [1, 3, 5] { server.feed(Frame.request(id)) }
        #expect(server.records.count == 2)
        let reset = ParsedFrame.all(in: try server.output()).filter { $0.type == 3 }
        #expect(reset.map(\.errorCode) == [7])
        #expect(server.channel.isActive)
    }

    @Test("a graceful end announces itself, serves what crosses it, and closes after the last stream")
    func drain() throws {
        let server = try Endpoint(.server)
        let client = try Endpoint(.client)
        server.onRequest = { stream, _ in stream.respond([HTTP2Header(":status", "200")]) }
        let (_, first) = try client.request()
        try Endpoint.exchange(client, server)

        server.connection?.drain()
        let (_, second) = try client.request()  // Crosses the notice.
        try Endpoint.exchange(client, server)
        #expect(server.records.count == 2)
        #expect(server.channel.isActive)

        for stream in server.streams { stream.end(trailers: [HTTP2Header("grpc-status", "14")]) }
        try Endpoint.exchange(client, server)
        #expect(first.trailers == [HTTP2Header("grpc-status", "14")])
        #expect(second.closures.count == 1)
        #expect(!server.channel.isActive)
        #expect(server.closures == 1)
    }
}
