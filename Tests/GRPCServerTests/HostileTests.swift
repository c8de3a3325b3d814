import HTTP2
import Logging
import NIOCore
import NIOEmbedded
import Testing

@testable import GRPCServer

@Suite("gRPC server: mutated byte streams")
struct HostileTests {
    private static func recording() throws -> [UInt8] {
        final class Client: HTTP2ConnectionDelegate {
            func opened(_ stream: HTTP2Stream, headers: [HTTP2Header]) -> (any HTTP2StreamDelegate)? { nil }
            func handshakeCompleted() {}
            func closed(_ error: (any Error)?) {}
        }
        final class Quiet: GRPCClientCallHandler {
            func received(_ message: ByteBuffer) {}
            func closed(_ status: GRPCStatus) {}
        }
        let channel = EmbeddedChannel()
        let connection = HTTP2Connection(.client, delegate: Client())
        try channel.pipeline.syncOperations.addHandler(connection)
        try channel.connect(to: SocketAddress(unixDomainSocketPath: "/test")).wait()
        for path in ["/a.B/C", "/a.B/D"] {
            let call = GRPCClientCall(handler: Quiet())
            call.start(
                connection.request(
                    [
                        HTTP2Header(":method", "POST"), HTTP2Header(":scheme", "http"), HTTP2Header(":path", path),
                        HTTP2Header(":authority", "x"), HTTP2Header("te", "trailers"),
                        HTTP2Header("content-type", "application/grpc"), HTTP2Header("grpc-timeout", "5S"),
                    ], delegate: call))
            for size in [0, 3, 300] { call.send(OutboundMessage(ByteBuffer(repeating: 0, count: size))) }
            call.halfClose()
        }
        channel.embeddedEventLoop.run()
        var bytes: [UInt8] = []
        while let piece = try channel.readOutbound(as: ByteBuffer.self) { bytes += Array(buffer: piece) }
        _ = try? channel.finish()
        return bytes
    }

    @Test("never trap, and every handler is closed exactly once", arguments: 0..<10)
    func mutations(seed: UInt64) throws {
        let recording = try Self.recording()
        var random = SplitMix64(state: seed)
        var opened = 0
        for _ in 0..<1_000 {
            let journal = Journal()
            let configuration = GRPCServer.Configuration(listeners: [])
            let channel = EmbeddedChannel()
            var closures = 0
            let connection = GRPCConnection(
                id: 1, channel: channel, configuration: configuration,
                service: ScriptedService { call in
                    journal.add("opened")
                    return EchoHandler(call, journal)
                }, logger: Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() }),
                onClose: { _ in closures += 1 })
            try channel.pipeline.syncOperations.addHandler(connection.makeHandler())
            try channel.connect(to: SocketAddress(unixDomainSocketPath: "/test")).wait()

            var rest = ByteBuffer(bytes: random.mutated(recording))
            while rest.readableBytes > 0, channel.isActive {
                let count = Int.random(in: 1...rest.readableBytes, using: &random)
                _ = try? channel.writeInbound(rest.readSlice(length: count) ?? ByteBuffer())
                channel.embeddedEventLoop.run()
            }
            _ = try? channel.finish(acceptAlreadyClosed: true)
            #expect(closures == 1)
            let entries = journal.entries
            let opens = entries.count { $0 == "opened" }
            #expect(entries.count { $0.hasPrefix("closed") } == opens)
            opened += opens
        }
        #expect(opened > 500, "mutations must not always hit the headers")
    }
}

/// A small generator with a seed, so that a failure can be repeated (Steele, Lea and Flood, "Fast splittable
/// pseudorandom number generators").
struct SplitMix64: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
        return mixed ^ (mixed >> 31)
    }

    /// Changes, drops or inserts a few bytes behind the preface.
    mutating func mutated(_ original: [UInt8]) -> [UInt8] {
        var bytes = original
        for _ in 0..<Int.random(in: 1...5, using: &self) where bytes.count > 25 {
            let at = Int.random(in: 24..<bytes.count, using: &self)
            switch Int.random(in: 0..<3, using: &self) {
            case 0: bytes[at] = UInt8(truncatingIfNeeded: next())
            case 1: bytes.remove(at: at)
            default: bytes.insert(UInt8(truncatingIfNeeded: next()), at: at)
            }
        }
        return bytes
    }
}
