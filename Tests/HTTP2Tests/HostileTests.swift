import HTTP2
import HTTP2Fixtures
import NIOCore
import NIOEmbedded
import Testing

@Suite("HTTP/2: hostile peers")
struct HostileTests {
    @Test(
        "end with GOAWAY and the right code, however their bytes are cut", arguments: Attack.violations + Attack.floods)
    func answered(_ attack: Attack) throws {
        for isOneRead in [false, true] {
            let server = try Endpoint(.server)
            server.onRequest = { stream, _ in stream.respond([HTTP2Header(":status", "200")]) }
            let output = try feed(attack, to: server, isOneRead: isOneRead)
            let goAway = ParsedFrame.all(in: output).last { $0.type == 7 }
            #expect(goAway?.errorCode == attack.code, "in one read: \(isOneRead)")
            #expect(!server.channel.isActive)
            #expect(server.closures == 1)
            #expect(server.records.allSatisfy { $0.closures.count == 1 })
            // Nothing was done for what came after the limit.
            #expect(server.records.count <= 201)
            #expect(output.readableBytes < 100_000)
        }
    }

    private func feed(_ attack: Attack, to server: Endpoint, isOneRead: Bool) throws -> ByteBuffer {
        server.feed(Frame.preface)
        server.feed(Frame.settings)
        var output = try server.output()
        let whole = attack.frames.reduce(into: ByteBuffer()) { $0.writeImmutableBuffer($1) }
        for read in isOneRead ? [whole] : attack.frames where server.channel.isActive {
            server.feed(read)
            var piece = try server.output()
            output.writeBuffer(&piece)
        }
        var rest = try server.output()
        output.writeBuffer(&rest)
        return output
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

    @Test("a header list above the limit costs its stream, not the connection")
    func largeHeaders() throws {
        let server = try Endpoint(.server)
        server.feed(Frame.preface)
        server.feed(Frame.settings)
        server.feed(Frame.request(1, block: Frame.requestBlock + Frame.hugeField))
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
