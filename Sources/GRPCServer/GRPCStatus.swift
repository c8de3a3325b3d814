package import HTTP2

/// How a call ended ("Status codes and their use in gRPC").
package struct GRPCStatus: Error, Sendable, Hashable {
    package enum Code: Int, Sendable {
        case ok = 0
        case cancelled = 1
        case unknown = 2
        case invalidArgument = 3
        case deadlineExceeded = 4
        case notFound = 5
        case alreadyExists = 6
        case permissionDenied = 7
        case resourceExhausted = 8
        case failedPrecondition = 9  // lint:allow: the table is whole
        case aborted = 10
        case outOfRange = 11
        case unimplemented = 12
        case `internal` = 13
        case unavailable = 14
        case dataLoss = 15  // lint:allow: the table is whole
        case unauthenticated = 16
    }

    package let code: Code
    /// For people; sent percent-encoded, and no more than ``maxMessageLength`` of it.
    package let message: String

    /// Bytes of UTF-8. Messages repeat what the client said; headers that are too long would not be sent at all.
    package static let maxMessageLength = 1_024

    package static let ok = GRPCStatus(.ok)

    package init(_ code: Code, _ message: String = "") {
        self.code = code
        self.message = message
    }

    /// `grpc-status` and, when there is one, `grpc-message`.
    var trailers: [HTTP2Header] {
        var fields = [HTTP2Header("grpc-status", String(code.rawValue))]
        let text = message.utf8.count <= Self.maxMessageLength ? message : shortened
        if !text.isEmpty { fields.append(HTTP2Header("grpc-message", Self.percentEncoded(text))) }
        return fields
    }

    /// The beginning of the message, as much as may be sent.
    private var shortened: String {
        // What is cut in the middle of a character is repaired at the end.
        String(decoding: message.utf8.prefix(Self.maxMessageLength - 3), as: UTF8.self)
    }

    /// Reads trailers; without a valid `grpc-status` the status is `unknown`.
    package init(trailers: [HTTP2Header]) {
        let code = trailers.first { $0.name == "grpc-status" }.flatMap { Int($0.value) }.flatMap(Code.init(rawValue:))
        let message = trailers.first { $0.name == "grpc-message" }?.value ?? ""
        self.init(code ?? .unknown, Self.percentDecoded(message))
    }

    /// Space to `~` stay, except `%`; every other byte of the UTF-8 becomes `%XX` ("gRPC over HTTP2", Percent-Encoded).
    static func percentEncoded(_ text: String) -> String {
        let digits = Array("0123456789ABCDEF".utf8)
        var encoded: [UInt8] = []
        for byte in text.utf8 {
            if (0x20...0x7e).contains(byte), byte != UInt8(ascii: "%") {
                encoded.append(byte)
            } else {
                encoded += [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 0xf)]]
            }
        }
        return String(decoding: encoded, as: UTF8.self)
    }

    /// Sequences that are not `%XX` stay as they are, as the specification asks of readers.
    static func percentDecoded(_ text: String) -> String {
        let bytes = Array(text.utf8)
        var decoded: [UInt8] = []
        var index = 0
        while index < bytes.count {
            if bytes[index] == UInt8(ascii: "%"), index + 2 < bytes.count,
                let byte = UInt8(String(decoding: bytes[index + 1...index + 2], as: UTF8.self), radix: 16)
            {
                decoded.append(byte)
                index += 3
            } else {
                decoded.append(bytes[index])
                index += 1
            }
        }
        return String(decoding: decoded, as: UTF8.self)
    }
}
