/// One header field. Names are lower case, as HTTP/2 requires (RFC 9113 section 8.2).
package struct HTTP2Header: Sendable, Hashable {
    package var name: String
    package var value: String

    package init(_ name: String, _ value: String) {
        self.name = name
        self.value = value
    }

    /// Bytes that this field counts for in `SETTINGS_MAX_HEADER_LIST_SIZE` (RFC 9113 section 6.5.2).
    static func cost(name: Int, value: Int) -> Int { name + value + 32 }
}

/// An error code of RST_STREAM and GOAWAY (RFC 9113 section 7). Constants are those that are sent.
package struct HTTP2ErrorCode: Sendable, Hashable, RawRepresentable {
    package let rawValue: UInt32
    package init(rawValue: UInt32) { self.rawValue = rawValue }

    package static let noError = HTTP2ErrorCode(rawValue: 0x0)
    package static let internalError = HTTP2ErrorCode(rawValue: 0x2)
    package static let refusedStream = HTTP2ErrorCode(rawValue: 0x7)
    package static let cancel = HTTP2ErrorCode(rawValue: 0x8)
    package static let enhanceYourCalm = HTTP2ErrorCode(rawValue: 0xb)
}

/// Why an HTTP/2 session ended on our side.
package enum HTTP2Error: Error, Hashable {
    /// nghttp2 gave up: its error code (`nghttp2_error`) and text.
    case session(code: Int32, reason: String)
    /// The peer sent too much of what costs it little and us work. It is told `ENHANCE_YOUR_CALM`.
    case flood
    /// The peer did not finish its preface or SETTINGS in time.
    case handshakeTimeout
    /// The peer did not finish a frame or header block in time.
    case frameTimeout
    /// The peer did not answer a PING in time.
    case keepaliveTimeout
}
