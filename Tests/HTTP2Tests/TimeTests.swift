import HTTP2
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

    @Test("a header block that does not end in time closes the connection")
    func slowHeaders() throws {
        let server = try server([Frame.preface, Frame.settings, Frame.raw(1, stream: 1, Frame.requestBlock)])
        server.channel.embeddedEventLoop.advanceTime(by: .seconds(11))
        #expect(!server.channel.isActive)
        #expect(server.error as? HTTP2Error == .handshakeTimeout)
    }

    @Test("silence is answered with a PING, and silence after that with the end")
    func keepalive() throws {
        let server = try server([Frame.preface, Frame.settings, Frame.settingsAck, Frame.request(1)])
        server.channel.embeddedEventLoop.advanceTime(by: .seconds(31))
        #expect(ParsedFrame.all(in: try server.output()).map(\.type) == [6])
        server.channel.embeddedEventLoop.advanceTime(by: .seconds(21))
        #expect(!server.channel.isActive)
        #expect(server.error as? HTTP2Error == .keepaliveTimeout)
        #expect(server.records[0].closures == [nil])
    }

    @Test("a peer that answers lives on, and its stream with it")
    func answersPing() throws {
        let server = try server([Frame.preface, Frame.settings, Frame.settingsAck, Frame.request(1)])
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
}
