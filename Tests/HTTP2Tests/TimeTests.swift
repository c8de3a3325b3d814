import HTTP2
import HTTP2Fixtures
import NIOCore
import NIOEmbedded
import Testing

@Suite("HTTP/2: time limits")
struct TimeTests {
    private func server(_ bytes: [ByteBuffer]) throws -> Endpoint {
        let server = try Endpoint(.server)
        for piece in bytes { server.feed(piece) }
        _ = try server.output()
        return server
    }

    @Test("a peer that does not finish its preface in time is disconnected", arguments: [0, 10, 24, 30])
    func handshake(bytes: Int) throws {
        var stream = Frame.preface
        stream.writeImmutableBuffer(Frame.settings)
        let server = try server([stream.getSlice(at: 0, length: bytes) ?? ByteBuffer()])
        server.channel.embeddedEventLoop.advanceTime(by: .seconds(9))
        #expect(server.channel.isActive)
        server.channel.embeddedEventLoop.advanceTime(by: .seconds(2))
        #expect(!server.channel.isActive)
        #expect(server.error as? HTTP2Error == .handshakeTimeout)
    }

    /// HEADERS of a new stream, without END_HEADERS.
    private static func unfinished(_ stream: UInt32, _ block: [UInt8] = Frame.requestBlock) -> ByteBuffer {
        Frame.raw(1, stream: stream, block)
    }

    enum Block: CaseIterable { case alone, refused, tooLarge }

    @Test(
        "a header block that does not end in time closes the connection, however often something of it comes",
        arguments: Block.allCases)
    func slowHeaders(_ block: Block) throws {
        // Of a stream that is refused nghttp2 says nothing, and of one that has too many headers not that they ended.
        let others = block == .refused ? (0..<100).map { Frame.request($0 * 2 + 1) } : []
        let stream: UInt32 = block == .refused ? 201 : 1
        let headers = Self.unfinished(stream, Frame.requestBlock + (block == .tooLarge ? Frame.hugeField : []))
        let server = try server([Frame.preface, Frame.settings] + others + [headers])
        let trickle = Frame.raw(9, stream: stream, [0, 20, 1, 1])
        for second in 1..<20 {
            server.channel.embeddedEventLoop.advanceTime(by: .seconds(1))
            #expect(server.channel.isActive, "after \(second) s")
            if second < 12 { server.feed(trickle.getSlice(at: second - 1, length: 1) ?? ByteBuffer()) }
        }
        server.channel.embeddedEventLoop.advanceTime(by: .seconds(2))
        #expect(!server.channel.isActive)
        #expect(server.error as? HTTP2Error == .frameTimeout)
    }

    @Test(
        "a frame that does not end in time closes the connection",
        arguments: [
            [Frame.raw(6, claiming: 8).getSlice(at: 0, length: 1)], [Frame.raw(6, [1], claiming: 8)],
            [Frame.request(1), Frame.raw(0, stream: 1, [1], claiming: 16_384)], [Frame.raw(0xee, claiming: 16_384)],
        ])
    func slowFrames(_ frames: [ByteBuffer?]) throws {
        let server = try server([Frame.preface, Frame.settings] + frames.compactMap { $0 })
        server.channel.embeddedEventLoop.advanceTime(by: .seconds(19))
        #expect(server.channel.isActive)
        server.channel.embeddedEventLoop.advanceTime(by: .seconds(2))
        #expect(server.error as? HTTP2Error == .frameTimeout)
    }

    @Test(
        "a header block that has ended is forgotten, also if it was refused",
        arguments: [
            Frame.requestBlock, Frame.requestBlock + Frame.hugeField, Frame.requestBlock + [0, 1, 0x41, 0], [0x83],
        ])
    func endedHeaders(_ block: [UInt8]) throws {
        let server = try server([Frame.preface, Frame.settings, Frame.request(1), Frame.request(3, block: block)])
        server.channel.embeddedEventLoop.advanceTime(by: .seconds(25))
        #expect(server.channel.isActive)
        #expect(server.records[0].closures.isEmpty)
    }

    @Test("every header block has its own time")
    func manyHeaders() throws {
        let server = try server([Frame.preface, Frame.settings, Self.unfinished(1)])
        for index: UInt32 in 0..<20 {
            server.channel.embeddedEventLoop.advanceTime(by: .seconds(19))
            var read = Frame.raw(9, flags: 4, stream: index * 2 + 1, [])
            read.writeImmutableBuffer(Self.unfinished(index * 2 + 3))
            server.feed(read)
        }
        #expect(server.channel.isActive)
        #expect(server.records.count == 20)
    }

    private static let firstRequest = Frame.request(1, block: Frame.noTable + Frame.requestBlock)

    @Test("silence is answered with a PING, and silence after that with the end")
    func keepalive() throws {
        let server = try server([Frame.preface, Frame.settings, Frame.settingsAck, Self.firstRequest])
        server.channel.embeddedEventLoop.advanceTime(by: .seconds(31))
        #expect(ParsedFrame.all(in: try server.output()).map(\.type) == [6])
        server.channel.embeddedEventLoop.advanceTime(by: .seconds(21))
        #expect(!server.channel.isActive)
        #expect(server.error as? HTTP2Error == .keepaliveTimeout)
        #expect(server.records[0].closures == [nil])
    }

    @Test("a peer that answers lives on, and its stream with it")
    func answersPing() throws {
        let server = try server([Frame.preface, Frame.settings, Frame.settingsAck, Self.firstRequest])
        for _ in 0..<20 {
            server.channel.embeddedEventLoop.advanceTime(by: .seconds(31))
            let pings = ParsedFrame.all(in: try server.output()).filter { $0.type == 6 }
            #expect(pings.count == 1)
            for ping in pings { server.feed(Frame.raw(6, flags: 1, ping.payload)) }
        }
        #expect(server.channel.isActive)
        #expect(server.records[0].closures.isEmpty)
    }

    @Test("a connection without streams is closed gracefully after a while")
    func idle() throws {
        let server = try server([Frame.preface, Frame.settings, Frame.settingsAck])
        for _ in 0..<14 where server.channel.isActive {
            server.channel.embeddedEventLoop.advanceTime(by: .seconds(31))
            for ping in ParsedFrame.all(in: try server.output()).filter({ $0.type == 6 }) {
                server.feed(Frame.raw(6, flags: 1, ping.payload))
            }
        }
        #expect(!server.channel.isActive)
        #expect(server.error == nil)
    }

    @Test("a connection without streams that ignores the graceful end is closed all the same")
    func idleForEver() throws {
        let server = try server([Frame.preface, Frame.settings, Frame.settingsAck])
        var minutes = 0
        while server.channel.isActive, minutes < 60 {
            server.channel.embeddedEventLoop.advanceTime(by: .seconds(20))
            server.feed(Frame.ping)
            minutes += server.channel.embeddedEventLoop.now.uptimeNanoseconds % 60_000_000_000 == 0 ? 1 : 0
        }
        #expect((10...11).contains(minutes))
        #expect(server.error == nil)
    }
}
