import HTTP2
import NIOCore
import TestSupport
import Testing

@testable import GRPCServer

@Suite("Compressed messages", .timeLimit(.minutes(1)))
struct CompressionTests {
    private static let text = Array(
        String(repeating: "outbound|9080||reviews.shop.svc.cluster.local", count: 3_000).utf8)
    /// Bytes that do not compress, more than one stored block holds.
    private static let noise: [UInt8] = {
        var generator = SystemRandomNumberGenerator()
        return (0..<200_000).map { _ in generator.next() }
    }()

    private func body(_ message: OutboundMessage) -> ByteBuffer {
        var bytes = ByteBuffer()
        for segment in message.framed { bytes.writeImmutableBuffer(segment) }
        bytes.moveReaderIndex(forwardBy: MessageReader.prefixLength)
        return bytes
    }

    @Test("Parts, compressed or stored, decompress to their concatenation in every order")
    func parts() throws {
        let contents: [[UInt8]] = [[], [7], Self.text, Self.noise, Array(0..<100)]
        for count in 0...3 {
            for choice in 0..<(contents.count * 2) {
                let pieces = (0..<count).map { index in
                    let number = (choice + index * 3) % (contents.count * 2)
                    return (bytes: contents[number / 2], isStored: number.isMultiple(of: 2))
                }
                let message = OutboundMessage(
                    gzip: pieces.map { piece in
                        let bytes = ByteBuffer(bytes: piece.bytes)
                        return piece.isStored ? GzipPart(storing: bytes) : GzipPart(compressing: bytes)
                    })
                let whole = try Gunzip.bytes(of: body(message), limit: 1 << 20)
                #expect(Array(buffer: whole) == pieces.flatMap(\.bytes))
            }
        }
    }

    @Test("Configuration shrinks to a fraction, and noise grows by a few bytes at most")
    func sizes() {
        let compressed = OutboundMessage(gzip: [GzipPart(compressing: ByteBuffer(bytes: Self.text))])
        #expect(compressed.count < Self.text.count / 50)
        let noise = OutboundMessage(gzip: [GzipPart(compressing: ByteBuffer(bytes: Self.noise))])
        #expect(noise.count < Self.noise.count + 200)
    }

    @Test("What did not change is taken from an earlier part, wherever it moved, and all is right")
    func laterForm() throws {
        let bytes = Self.configuration(seed: 0..<20_000)
        let old = GzipPart(compressing: ByteBuffer(bytes: bytes))
        #expect(old.deflated.readableBytes < bytes.count / 4)
        // One change at the beginning, as of a version, and one anywhere, which makes it longer, shorter or neither.
        for place in stride(from: 1, to: bytes.count - 100, by: 43_210) {
            for (removed, added) in [(10, 10), (0, 33), (70, 0), (0, 100_000), (bytes.count - place, 5)] {
                var changed = bytes
                changed[1] ^= 1
                changed.replaceSubrange(place..<min(place + removed, changed.count), with: Self.noise.prefix(added))
                let new = GzipPart(compressing: ByteBuffer(bytes: changed), reusing: old)
                try expect(new, is: changed)
                let known = Set(try #require(old.source).blocks.map(\.deflated))
                let anew = (new.source?.blocks ?? []).filter { !known.contains($0.deflated) }
                let compressed = anew.reduce(0) { $0 + $1.count }
                // What changed, the rest of its block and the block after it; the block with the version.
                #expect(compressed < added + 5 * Self.blockSize, "\(place), \(removed), \(added)")
            }
        }
    }

    @Test("Form after form stays right and as small as if it were compressed anew")
    func manyForms() throws {
        var generator = SeededGenerator(seed: 7)
        var bytes = Self.configuration(seed: 0..<10_000)
        var part = GzipPart(compressing: ByteBuffer(bytes: bytes))
        for round in 0..<300 {
            let place = Int.random(in: 0..<max(1, bytes.count), using: &generator)
            let removed = min(bytes.count - place, Int.random(in: 0..<1_000, using: &generator))
            let added = Self.configuration(seed: round * 10..<round * 10 + Int.random(in: 0..<60, using: &generator))
            bytes.replaceSubrange(place..<place + removed, with: added)
            part = GzipPart(compressing: ByteBuffer(bytes: bytes), reusing: part)
            try expect(part, is: bytes)
        }
        let anew = GzipPart(compressing: ByteBuffer(bytes: bytes))
        #expect(part.deflated.readableBytes < anew.deflated.readableBytes * 11 / 10)
        try expect(GzipPart(compressing: ByteBuffer(), reusing: part), is: [])
        try expect(GzipPart(compressing: ByteBuffer(bytes: bytes), reusing: GzipPart(storing: ByteBuffer())), is: bytes)
        let stored = GzipPart(storing: ByteBuffer(bytes: bytes))
        try expect(GzipPart(compressing: ByteBuffer(bytes: bytes), reusing: stored), is: bytes)
    }

    /// Between other parts, whose bytes it must not refer to.
    private func expect(_ part: GzipPart, is bytes: [UInt8]) throws {
        let around = GzipPart(compressing: ByteBuffer(bytes: Self.text))
        let message = body(OutboundMessage(gzip: [around, part, around]))
        let whole = try Gunzip.bytes(of: message, limit: 16 << 20)
        #expect(whole == ByteBuffer(bytes: Self.text + bytes + Self.text))
    }

    /// Lines that have much in common, and a number that they have not.
    private static func configuration(seed: Range<Int>) -> [UInt8] {
        Array(
            seed.map { "service-\($0).shop.svc.cluster.local: \(UInt64($0) &* 0x9e37_79b9_7f4a_7c15)\n" }.joined().utf8)
    }

    private static let blockSize = 36 << 10

    @Test("What is no gzip, is cut off, damaged or followed by more is refused")
    func hostile() throws {
        let good = Array(buffer: body(OutboundMessage(gzip: [GzipPart(compressing: ByteBuffer(bytes: Self.text))])))
        for length in stride(from: 0, to: good.count, by: 7) {
            #expect(throws: GRPCStatus.self) {
                try Gunzip.bytes(of: ByteBuffer(bytes: good[..<length]), limit: 1 << 20)
            }
        }
        for index in good.indices.suffix(8) {
            var damaged = good
            damaged[index] ^= 0x40
            #expect(throws: GRPCStatus.self) { try Gunzip.bytes(of: ByteBuffer(bytes: damaged), limit: 1 << 20) }
        }
        #expect(throws: GRPCStatus.self) { try Gunzip.bytes(of: ByteBuffer(bytes: good + [0]), limit: 1 << 20) }
        #expect(throws: GRPCStatus.self) { try Gunzip.bytes(of: ByteBuffer(bytes: Self.text), limit: 1 << 20) }
    }

    @Test("One decompressor takes message after message, whatever came of the last one")
    func reuse() throws {
        let gunzip = try Gunzip()
        let good = body(OutboundMessage(gzip: [GzipPart(compressing: ByteBuffer(bytes: Self.text))]))
        let cutOff = try #require(good.getSlice(at: good.readerIndex, length: good.readableBytes / 2))
        for _ in 0..<3 {
            #expect(throws: GRPCStatus.self) { try gunzip.bytes(of: cutOff, limit: 1 << 20) }
            #expect(try gunzip.bytes(of: cutOff, limit: 100, isPrefixEnough: true).readableBytes == 100)
            #expect(throws: GRPCStatus.self) { try gunzip.bytes(of: ByteBuffer(bytes: [1, 2, 3]), limit: 1 << 20) }
            #expect(Array(buffer: try gunzip.bytes(of: good, limit: 1 << 20)) == Self.text)
        }
    }

    @Test("Decompression stops at its limit, or is content with what comes first")
    func limit() throws {
        let bomb = body(OutboundMessage(gzip: [GzipPart(compressing: ByteBuffer(repeating: 0, count: 50_000_000))]))
        #expect(bomb.readableBytes < 80_000)
        let error = #expect(throws: GRPCStatus.self) { try Gunzip.bytes(of: bomb, limit: 1_000) }
        #expect(error?.code == .resourceExhausted)
        #expect(try Gunzip().bytes(of: bomb, limit: 1_000, isPrefixEnough: true).readableBytes == 1_000)
    }

    @Test(
        "The client's header decides",
        arguments: [
            (["gzip"], true), (["identity, deflate, gzip"], true), (["identity,gzip"], true),
            (["identity", "gzip"], true),
            (["identity"], false), (["gzipped, x-gzip"], false), ([], false),
        ] as [([String], Bool)])
    func negotiation(accepted: [String], isExpected: Bool) async throws {
        let service = ScriptedService { Answering($0) }
        try await withServer(service) { _, address in
            let client = try await TestClient(address)
            let events = await client.call(
                metadata: accepted.map { HTTP2Header("grpc-accept-encoding", $0) }, sending: [[1]], halfClose: true
            ).all()
            #expect(events == [.message(isExpected ? Self.text : [0]), .message([1]), .closed(.ok)])
            client.close()
        }
    }

    /// Sends one message compressed if the client likes that, and one that is not.
    private final class Answering: GRPCCallHandler {
        private let call: GRPCCall
        init(_ call: GRPCCall) { self.call = call }
        func received(_ message: ByteBuffer) {
            if call.acceptsGzip {
                call.send(OutboundMessage(gzip: [GzipPart(compressing: ByteBuffer(bytes: CompressionTests.text))]))
            } else {
                call.send(OutboundMessage(ByteBuffer(bytes: [0])))
            }
            call.send(OutboundMessage(message))
        }
        func inputClosed() { call.finish(.ok) }
        func writable() {}
        func closed(_ reason: GRPCCloseReason) {}
    }
}
