import GRPCFixtures
import HTTP2
import HTTP2Fixtures
import NIOCore
import NIOEmbedded
import TestSupport
import Testing

@testable import GRPCServer

@Suite("gRPC server: mutated byte streams")
struct FuzzTests {
    private static func recording() throws -> ByteBuffer {
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
        defer { _ = try? channel.finish() }
        return try channel.allOutput()
    }

    @Test("never trap, and every handler is closed exactly once", arguments: Fuzz.seeds)
    func frames(seed: UInt64) throws {
        let mutations = FrameMutations(try Self.recording())
        var random = SeededGenerator(seed: seed)
        var opened = 0
        for run in 0..<Fuzz.runs(usually: 150) {
            let journal = Journal()
            let input = BufferedInput()
            let server = try EmbeddedServer(
                ScriptedService { call in
                    journal.add("opened")
                    return EchoHandler(call, journal)
                }, bufferedInput: input)
            for piece in random.cut(mutations.next(&random)) { server.feed(ByteBuffer(bytes: piece)) }
            server.finish()
            #expect(server.closures == 1, "run \(run)")
            #expect(input.total == 0, "run \(run)")
            let opens = journal.entries.count { $0 == "opened" }
            #expect(journal.entries.count { $0.hasPrefix("closed") } == opens, "run \(run)")
            opened += opens
        }
        #expect(opened > Fuzz.runs(usually: 150) / 2, "mutations must not always hit the first headers")
    }

    @Test("bodies are the same messages, or the same error, wherever they are cut", arguments: Fuzz.seeds)
    func bodies(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        let gzip = OutboundMessage(gzip: [GzipPart(compressing: ByteBuffer(repeating: 7, count: 500))])
        let messages = [OutboundMessage(ByteBuffer()), OutboundMessage(ByteBuffer(repeating: 1, count: 30)), gzip]
        let recording = messages.flatMap { $0.framed.flatMap { Array(buffer: $0) } }
        for run in 0..<Fuzz.runs(usually: 150) {
            let bytes = random.mutated(recording)
            let whole = Result { () throws(GRPCStatus) in try read([bytes[...]]) }
            let cut = Result { () throws(GRPCStatus) in try read(random.cut(bytes)) }
            #expect(whole == cut, "run \(run)")
        }
    }

    /// The messages of a body, decompressed.
    private func read(_ pieces: [ArraySlice<UInt8>]) throws(GRPCStatus) -> [ByteBuffer] {
        var reader = MessageReader(maxMessageSize: 1_000, acceptsCompressed: true)
        var messages: [ByteBuffer] = []
        for piece in pieces {
            reader.append(ByteBuffer(bytes: piece))
            while let message = try reader.next() {
                messages.append(message.isCompressed ? try Gunzip.bytes(of: message.body, limit: 1_000) : message.body)
            }
            #expect(reader.bufferedBytes <= 1_005)
        }
        return messages
    }

    @Test("gzip that is damaged is decompressed within its limit or refused", arguments: Fuzz.seeds)
    func gzip(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        let parts = [
            GzipPart(compressing: ByteBuffer(repeating: 0, count: 5_000)),
            GzipPart(storing: ByteBuffer(string: "stored")),
        ]
        let recording = GzipMember(parts).segments.flatMap { Array(buffer: $0) }
        for run in 0..<Fuzz.runs(usually: 150) {
            let bytes = ByteBuffer(bytes: random.mutated(recording))
            let result = Result { () throws(GRPCStatus) in try Gunzip.bytes(of: bytes, limit: 6_000) }
            switch result {
            case .success(let output): #expect(output.readableBytes <= 6_000, "run \(run)")
            case .failure(let status):
                #expect([.internal, .resourceExhausted].contains(status.code), "run \(run)")
            }
        }
    }
}
