import HTTP2
import HTTP2Fixtures
import NIOCore
import NIOEmbedded
import Testing

@Suite("HTTP/2: mutated byte streams")
struct FuzzTests {
    /// What a well-behaved client sends: two streams with bodies, a PING, a reset.
    private static func recording() throws -> [UInt8] {
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
        return Array(buffer: bytes)
    }

    @Test("never trap, and every stream that was opened is closed exactly once", arguments: 0..<10)
    func mutations(seed: UInt64) throws {
        let recording = try Self.recording()
        var random = SplitMix64(state: seed)
        for _ in 0..<1_000 {
            let bytes = random.mutated(recording)
            let server = try Endpoint(.server)
            server.onRequest = { _, record in
                record.onBody = { stream, body in
                    stream.respond([HTTP2Header(":status", "200")])
                    stream.write([body])
                }
            }
            var rest = ByteBuffer(bytes: bytes)
            while rest.readableBytes > 0, server.channel.isActive {
                let count = Int.random(in: 1...rest.readableBytes, using: &random)
                server.feed(rest.readSlice(length: count) ?? ByteBuffer())
            }
            server.finish()
            #expect(server.closures == 1)
            #expect(server.records.allSatisfy { $0.closures.count == 1 })
        }
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

    /// Flips, drops, doubles or inserts a few bytes; mostly behind the preface, or nothing else would be tested.
    mutating func mutated(_ original: [UInt8]) -> [UInt8] {
        var bytes = original
        for _ in 0..<Int.random(in: 1...6, using: &self) where !bytes.isEmpty {
            let low = Int.random(in: 0..<20, using: &self) == 0 ? 0 : min(24, bytes.count - 1)
            let at = Int.random(in: low..<bytes.count, using: &self)
            switch Int.random(in: 0..<5, using: &self) {
            case 0: bytes[at] = UInt8(truncatingIfNeeded: next())
            case 1: bytes[at] ^= 1 << UInt8.random(in: 0..<8, using: &self)
            case 2: bytes.remove(at: at)
            case 3: bytes.insert(UInt8(truncatingIfNeeded: next()), at: at)
            default:
                let end = min(bytes.count, at + Int.random(in: 1...40, using: &self))
                bytes.insert(contentsOf: bytes[at..<end], at: Int.random(in: at...bytes.count, using: &self))
            }
        }
        return bytes
    }
}
