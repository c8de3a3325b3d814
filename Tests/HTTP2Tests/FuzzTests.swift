import HTTP2Fixtures
import NIOCore
import NIOEmbedded
import TestSupport
import Testing

@testable import HTTP2

@Suite("HTTP/2: mutated byte streams")
struct FuzzTests {
    /// What a well-behaved client sends: two streams with bodies, a PING, a reset.
    private static func recording() throws -> ByteBuffer {
        let client = try Endpoint(.client)
        let (first, _) = try client.request()
        first.write([ByteBuffer(bytes: [0, 0, 0, 0, 5, 1, 2, 3, 4, 5])])
        let (second, _) = try client.request(Endpoint.headers + [HTTP2Header("x-token", "abcdefgh")])
        second.write([ByteBuffer(repeating: 0, count: 300)])
        first.end()
        var bytes = try client.output()
        bytes.writeImmutableBuffer(Frame.ping)
        second.reset(.cancel)
        bytes.writeImmutableBuffer(try client.output())
        client.finish()
        return bytes
    }

    @Test("never trap, and every stream that was opened is closed exactly once", arguments: Fuzz.seeds)
    func mutations(seed: UInt64) throws {
        let mutations = FrameMutations(try Self.recording())
        var random = SeededGenerator(seed: seed)
        var opened = 0
        for run in 0..<Fuzz.runs(usually: 150) {
            let server = try Endpoint(.server)
            server.onRequest = { _, record in
                record.onBody = { stream, body in
                    stream.respond([HTTP2Header(":status", "200")])
                    stream.write([body])
                }
            }
            for piece in random.cut(mutations.next(&random)) { server.feed(ByteBuffer(bytes: piece)) }
            server.finish()
            #expect(server.closures == 1, "run \(run)")
            #expect(server.records.allSatisfy { $0.closures.count == 1 }, "run \(run)")
            opened += server.records.count
        }
        #expect(opened > Fuzz.runs(usually: 150) / 2, "mutations must not always hit the first headers")
    }

    /// What nghttp2 counts as a frame and what we do must be the same, or floods could hide from us.
    @Test("are cut into the same frames wherever they are cut", arguments: Fuzz.seeds)
    func cursor(seed: UInt64) throws {
        let mutations = FrameMutations(try Self.recording())
        var random = SeededGenerator(seed: seed)
        for run in 0..<Fuzz.runs(usually: 100) {
            let bytes = mutations.next(&random)
            #expect(headers(random.cut(bytes)) == headers([bytes[...]]), "run \(run)")
        }
    }

    private func headers(_ pieces: [ArraySlice<UInt8>]) -> [FrameCursor.Header] {
        var cursor = FrameCursor(preface: 24)
        var headers: [FrameCursor.Header] = []
        for piece in pieces {
            var buffer = ByteBuffer(bytes: piece)
            while let header = cursor.next(in: &buffer) { headers.append(header) }
            #expect(buffer.readableBytes == 0)
        }
        return headers
    }
}
