import HTTP2
import HTTP2Fixtures
import NIOCore
import NIOEmbedded
import Testing

@Suite("HTTP/2: games with windows")
struct WindowTests {
    private static let bodySize = 200_000

    /// A server that answers every request with ``bodySize`` bytes, and a client whose streams have this window.
    private func server(
        window: UInt32, configuration: HTTP2Configuration = HTTP2Configuration()
    ) throws -> Endpoint {
        let server = try Endpoint(.server, configuration)
        server.onRequest = { stream, _ in
            stream.respond([HTTP2Header(":status", "200")])
            stream.write([ByteBuffer(repeating: 1, count: Self.bodySize)])
        }
        server.feed(Frame.preface)
        server.feed(Frame.settings([(4, window)]))
        server.feed(Frame.request(1))
        return server
    }

    private func sent(_ server: Endpoint) throws -> [ParsedFrame] {
        ParsedFrame.all(in: try server.output()).filter { $0.type == 0 }
    }

    @Test("without a window nothing is sent, and what waits is in memory once, in the stream")
    func noWindow() throws {
        let server = try server(window: 0)
        #expect(try sent(server).isEmpty)
        #expect(server.streams.first?.pendingBytes == Self.bodySize)
        #expect(server.channel.isActive)
    }

    @Test("a window that is given byte by byte ends with ENHANCE_YOUR_CALM")
    func crumbs() throws {
        let server = try server(window: 0)
        var frames: [ParsedFrame] = []
        for _ in 0..<3_000 where server.channel.isActive {
            server.feed(Frame.windowUpdate(1, 1))
            frames += ParsedFrame.all(in: try server.output())
        }
        #expect(frames.last.map { [$0.type == 7 ? 1 : 0, $0.errorCode] } == [1, 11])
        // A burst of control frames, and what was sent for it.
        #expect(frames.count { $0.type == 0 } <= HTTP2Configuration().controlFrames.burst)
        #expect(!server.channel.isActive)
    }

    @Test("a client that gives back what it was sent may do so in more frames than are allowed otherwise")
    func patientClient() throws {
        var configuration = HTTP2Configuration()
        configuration.controlFrames = .init(burst: 10, perSecond: 0)
        let server = try server(window: 2_048, configuration: configuration)
        var received = 0
        while server.channel.isActive {
            let frames = try sent(server)
            received += frames.reduce(0) { $0 + $1.payload.count }
            if frames.isEmpty { break }
            for frame in frames {
                let size = UInt32(frame.payload.count)
                server.feed(Frame.windowUpdate(1, size))
                server.feed(Frame.windowUpdate(0, size))
            }
        }
        #expect(received == Self.bodySize)
        #expect(server.channel.isActive)
    }

    @Test("windows that shrink below zero and grow again lose nothing")
    func shrinking() throws {
        let server = try server(window: 10_000)
        #expect(try sent(server).reduce(0) { $0 + $1.payload.count } == 10_000)
        server.feed(Frame.settings([(4, 0)]))
        server.feed(Frame.windowUpdate(1, 9_999))
        #expect(try sent(server).isEmpty)
        server.feed(Frame.windowUpdate(1, 2))
        #expect(try sent(server).reduce(0) { $0 + $1.payload.count } == 1)
        #expect(server.streams.first?.pendingBytes == Self.bodySize - 10_001)
    }

    @Test("SETTINGS that make the window of an open stream overflow are FLOW_CONTROL_ERROR")
    func overflow() throws {
        let server = try server(window: 0)
        server.feed(Frame.windowUpdate(1, 0x7fff_ffff))
        _ = try server.output()
        server.feed(Frame.settings([(4, 0x7fff_ffff)]))
        let answers = ParsedFrame.all(in: try server.output()).filter { [3, 7].contains($0.type) }
        #expect(answers.first?.errorCode == 3)
    }
}
