import HTTP2
import NIOCore
import NIOEmbedded
import Testing

@Suite("HTTP/2: hostile peers")
struct HostileTests {
    struct Attack: CustomTestStringConvertible {
        var testDescription: String
        /// Sent after preface and SETTINGS.
        var frames: [ByteBuffer]
        /// Expected in GOAWAY.
        var code: UInt32

        init(_ description: String, _ frames: [ByteBuffer], code: UInt32) {
            testDescription = description
            self.frames = frames
            self.code = code
        }

        /// The same frame again and again.
        init(_ description: String, flood frame: ByteBuffer, code: UInt32) {
            self.init(description, [ByteBuffer](repeating: frame, count: 3_000), code: code)
        }

        /// A new stream and another frame on it, again and again.
        init(_ description: String, perStream: (UInt32) -> ByteBuffer, code: UInt32) {
            let streams = (0..<300).map { UInt32($0) * 2 + 1 }
            self.init(description, streams.flatMap { [Frame.request($0), perStream($0)] }, code: code)
        }
    }

    static let attacks = [
        Attack("frame above the size limit", [Frame.raw(0, stream: 1, claiming: 16_385)], code: 6),
        Attack("frame of 16 MiB", [Frame.raw(1, stream: 1, claiming: 0xff_ffff)], code: 6),
        Attack("bad HPACK index", [Frame.request(1, block: [0xff, 0xff, 0xff, 0x0f])], code: 9),
        Attack("HPACK integer overflow", [Frame.request(1, block: [UInt8](repeating: 0xff, count: 40))], code: 9),
        Attack("HPACK table size above the limit", [Frame.request(1, block: [0x3f, 0xff, 0xff, 0xff, 0x07])], code: 9),
        Attack("PING of 7 bytes", [Frame.raw(6, [1, 2, 3, 4, 5, 6, 7])], code: 6),
        Attack("PING on a stream", [Frame.raw(6, stream: 1, [1, 2, 3, 4, 5, 6, 7, 8])], code: 1),
        Attack("SETTINGS of 5 bytes", [Frame.raw(4, [1, 2, 3, 4, 5])], code: 6),
        Attack("SETTINGS with a window above 2^31", [Frame.raw(4, [0, 4, 0xff, 0xff, 0xff, 0xff])], code: 3),
        Attack("SETTINGS on a stream", [Frame.raw(4, stream: 1)], code: 1),
        Attack("WINDOW_UPDATE of zero", [Frame.windowUpdate(0, 0)], code: 1),
        Attack(
            "WINDOW_UPDATE beyond 2^31",
            [Frame.windowUpdate(0, 0x7fff_ffff), Frame.windowUpdate(0, 0x7fff_ffff)], code: 3),
        Attack("DATA on an idle stream", [Frame.data(1, [1])], code: 1),
        Attack("DATA on stream zero", [Frame.data(0, [1])], code: 1),
        Attack("HEADERS on stream zero", [Frame.request(0)], code: 1),
        Attack("HEADERS on an even stream", [Frame.request(2)], code: 1),
        Attack("CONTINUATION without HEADERS", [Frame.raw(9, stream: 1, [0x82])], code: 1),
        Attack("another frame inside a header block", [Frame.raw(1, stream: 1, [0x83]), Frame.ping], code: 1),
        Attack("PUSH_PROMISE of a client", [Frame.raw(5, flags: 4, stream: 1, [0, 0, 0, 2, 0x82])], code: 1),
        Attack(
            "padding longer than the frame",
            [Frame.request(1), Frame.raw(0, flags: 8, stream: 1, [200, 1])], code: 1),
        Attack("more streams than allowed", [Frame.settingsAck] + (0...100).map { Frame.request($0 * 2 + 1) }, code: 1),
        Attack("rapid reset", perStream: { Frame.reset($0) }, code: 2),
        Attack("PING flood", flood: Frame.ping, code: 11),
        Attack("SETTINGS flood", flood: Frame.settings, code: 11),
        Attack("PRIORITY flood", flood: Frame.raw(2, stream: 9, [0, 0, 0, 0, 1]), code: 11),
        Attack(
            "empty DATA flood",
            [Frame.request(1)] + [ByteBuffer](repeating: Frame.data(1, []), count: 3_000), code: 11),
        Attack("stream errors made on purpose", perStream: { Frame.windowUpdate($0, 0x7fff_ffff) }, code: 11),
    ]

    @Test("ends with GOAWAY and the right code", arguments: attacks)
    func answered(_ attack: Attack) throws {
        let server = try Endpoint(.server)
        server.onRequest = { stream, _ in stream.respond([HTTP2Header(":status", "200")]) }
        server.feed(Frame.preface)
        server.feed(Frame.settings)
        var output = ByteBuffer()
        for frame in attack.frames where server.channel.isActive {
            server.feed(frame)
            var piece = try server.output()
            output.writeBuffer(&piece)
        }
        var rest = try server.output()
        output.writeBuffer(&rest)
        let goAway = ParsedFrame.all(in: output).last { $0.type == 7 }
        #expect(goAway?.errorCode == attack.code)
        #expect(!server.channel.isActive)
        #expect(server.closures == 1)
        #expect(server.records.allSatisfy { $0.closures.count == 1 })
    }

    @Test(
        "a wrong preface closes the connection",
        arguments: ["GET / HTTP/1.1\r\nHost: x\r\n\r\n", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\r", "\u{0}"])
    func badPreface(_ text: String) throws {
        let server = try Endpoint(.server)
        server.feed(ByteBuffer(string: text))
        #expect(!server.channel.isActive)
        #expect(server.closures == 1)
    }

    @Test("an endless header block closes the connection")
    func continuationFlood() throws {
        let server = try Endpoint(.server)
        server.feed(Frame.preface)
        server.feed(Frame.settings)
        server.feed(Frame.raw(1, stream: 1, Frame.requestBlock))
        for _ in 0..<20 { server.feed(Frame.raw(9, stream: 1, [])) }
        #expect(!server.channel.isActive)
        #expect(server.records.isEmpty)
    }

    @Test("a header list above the limit costs its stream, not the connection")
    func largeHeaders() throws {
        let server = try Endpoint(.server)
        server.feed(Frame.preface)
        server.feed(Frame.settings)
        // A dynamic entry of 4 000 bytes, then references to it: a bomb of 40 kB in 10 bytes.
        let field: [UInt8] = [0x40, 1, UInt8(ascii: "a"), 0x7f, 0xa1, 0x1e] + [UInt8](repeating: 0x62, count: 4_000)
        server.feed(Frame.request(1, block: Frame.requestBlock + field + [UInt8](repeating: 0xbe, count: 10)))
        let resets = ParsedFrame.all(in: try server.output()).filter { $0.type == 3 }
        #expect(resets.first?.errorCode == 11)
        #expect(server.records.isEmpty)

        server.feed(Frame.request(3))
        #expect(server.records.count == 1)
        #expect(server.channel.isActive)
    }

    @Test("DATA on a closed stream is answered or ignored, and harms nobody")
    func dataOnClosedStream() throws {
        let server = try Endpoint(.server)
        server.feed(Frame.preface)
        server.feed(Frame.settings)
        server.feed(Frame.request(1))
        server.feed(Frame.reset(1))
        server.feed(Frame.data(1, [1, 2, 3]))
        server.feed(Frame.request(3))
        #expect(server.records.map(\.body.readableBytes) == [0, 0])
        #expect(server.channel.isActive)
    }

    @Test("a peer that does not read is not read from")
    func readsAreHeld() throws {
        let server = try Endpoint(.server)
        let counter = ReadCounter()
        try server.channel.pipeline.syncOperations.addHandler(counter, position: .first)
        server.channel.isWritable = false
        server.channel.pipeline.read()
        #expect(counter.reads == 0)
        server.channel.isWritable = true
        server.channel.pipeline.fireChannelWritabilityChanged()
        #expect(counter.reads == 1)
    }

    private final class ReadCounter: ChannelOutboundHandler {
        typealias OutboundIn = ByteBuffer
        var reads = 0
        func read(context: ChannelHandlerContext) {
            reads += 1
            context.read()
        }
    }
}
