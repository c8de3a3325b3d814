import HTTP2
import NIOCore
import Testing

@testable import GRPCServer

@Suite("gRPC messages from pieces")
struct MessageReaderTests {
    private static func framed(_ bodies: [[UInt8]]) -> [UInt8] {
        bodies.flatMap { body in
            var bytes: [UInt8] = [0, 0, UInt8(body.count >> 16), UInt8(body.count >> 8 & 0xff)]
            bytes.append(UInt8(body.count & 0xff))
            return bytes + body
        }
    }

    private func read(_ pieces: [ArraySlice<UInt8>], limit: Int = 100) throws(GRPCStatus) -> [[UInt8]] {
        var reader = MessageReader(maxMessageSize: limit)
        var messages: [[UInt8]] = []
        for piece in pieces {
            reader.append(ByteBuffer(bytes: piece))
            while let message = try reader.next() { messages.append(Array(buffer: message.body)) }
        }
        return messages
    }

    @Test("are the same wherever the bytes are cut")
    func everySplit() throws {
        let bodies: [[UInt8]] = [[], [1], [2, 3, 4], [], Array(0..<50)]
        let bytes = Self.framed(bodies)
        for first in 0...bytes.count {
            for second in first...bytes.count {
                #expect(try read([bytes[..<first], bytes[first..<second], bytes[second...]]) == bodies)
            }
        }
        #expect(try read(bytes.indices.map { bytes[$0...$0] }) == bodies)
    }

    @Test(
        "that are too long or compressed are refused by their prefix alone",
        arguments: [
            ([0, 0xff, 0xff, 0xff, 0xff], GRPCStatus.Code.resourceExhausted),
            ([0, 0, 0, 0, 101], .resourceExhausted),
            ([1, 0, 0, 0, 1], .unimplemented),
            ([0xff, 0xff, 0xff, 0xff, 0xff], .unimplemented),
        ] as [([UInt8], GRPCStatus.Code)])
    func refused(prefix: [UInt8], code: GRPCStatus.Code) {
        let error = #expect(throws: GRPCStatus.self) { _ = try read([prefix[...]]) }
        #expect(error?.code == code)
    }

    @Test("that are incomplete keep only their own bytes")
    func ownsItsRest() throws {
        var reader = MessageReader(maxMessageSize: 100)
        var chunk = ByteBuffer(repeating: 0, count: 60_000)
        chunk.moveReaderIndex(to: 59_998)
        reader.append(chunk)
        #expect(try reader.next() == nil)
        #expect(reader.bufferedBytes == 2)
    }
}

@Suite("gRPC request headers and statuses")
struct RequestTests {
    private static let base = [
        HTTP2Header(":method", "POST"), HTTP2Header(":path", "/a.B/C"),
        HTTP2Header("content-type", "application/grpc"), HTTP2Header("te", "trailers"),
    ]

    @Test(
        "are refused with the status that the specification asks for",
        arguments: [
            (":method", "GET", GRPCRequest.Refusal.http(405)),
            ("content-type", "application/json", .http(415)),
            ("content-type", "application/grpcweb", .http(415)),
            ("te", "gzip", .grpc(GRPCStatus(.internal, "the header te: trailers is missing"))),
            ("grpc-encoding", "gzip", .grpc(GRPCStatus(.unimplemented, "grpc-encoding gzip is not supported"))),
            (":path", "", .grpc(GRPCStatus(.unimplemented, "unknown path "))),
            (":path", "/a", .grpc(GRPCStatus(.unimplemented, "unknown path /a"))),
            (":path", "a/b/c", .grpc(GRPCStatus(.unimplemented, "unknown path a/b/c"))),
            (":path", "//c", .grpc(GRPCStatus(.unimplemented, "unknown path //c"))),
            ("grpc-timeout", "", .grpc(GRPCStatus(.internal, "grpc-timeout  is malformed"))),
            ("grpc-timeout", "-1S", .grpc(GRPCStatus(.internal, "grpc-timeout -1S is malformed"))),
            ("grpc-timeout", "123456789S", .grpc(GRPCStatus(.internal, "grpc-timeout 123456789S is malformed"))),
            ("grpc-timeout", "1s", .grpc(GRPCStatus(.internal, "grpc-timeout 1s is malformed"))),
        ])
    func refused(name: String, value: String, refusal: GRPCRequest.Refusal) {
        let headers = Self.base.filter { $0.name != name } + [HTTP2Header(name, value)]
        let sorted = headers.filter { $0.name.hasPrefix(":") } + headers.filter { !$0.name.hasPrefix(":") }
        #expect(throws: refusal) { _ = try GRPCRequest(sorted) }
    }

    @Test(
        "carry timeouts in every unit",
        arguments: [
            ("1H", TimeAmount.hours(1)), ("2M", .minutes(2)), ("3S", .seconds(3)), ("4m", .milliseconds(4)),
            ("5u", .microseconds(5)), ("6n", .nanoseconds(6)), ("0n", .nanoseconds(0)), ("99999999H", nil),
        ] as [(String, TimeAmount?)])
    func timeouts(text: String, amount: TimeAmount?) throws {
        #expect(try GRPCRequest(Self.base + [HTTP2Header("grpc-timeout", text)]).timeout == amount)
    }

    @Test("messages of statuses survive the wire", arguments: ["", "plain", "100 %", "löschen\n", "%41", "\u{0}"])
    func percentEncoding(_ text: String) {
        let encoded = GRPCStatus.percentEncoded(text)
        #expect(encoded.utf8.allSatisfy { (0x20...0x7e).contains($0) })
        #expect(GRPCStatus.percentDecoded(encoded) == text)
        #expect(GRPCStatus(trailers: GRPCStatus(.aborted, text).trailers) == GRPCStatus(.aborted, text))
    }

    @Test("broken escapes are left as they are", arguments: ["%", "%4", "%zz", "a%"])
    func brokenEscapes(_ text: String) {
        #expect(GRPCStatus.percentDecoded(text) == text)
    }
}
