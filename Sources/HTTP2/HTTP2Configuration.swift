package import NIOCore

/// Limits and timers of one HTTP/2 connection. The defaults suit a server that holds thousands of long-lived streams.
package struct HTTP2Configuration: Sendable {
    /// Streams that the peer may have open at once (`SETTINGS_MAX_CONCURRENT_STREAMS`). A control-plane client needs
    /// a handful. More are refused with `REFUSED_STREAM` until the peer has acknowledged the limit; after that they end
    /// the connection with `PROTOCOL_ERROR` (RFC 9113 section 5.1.2 allows both).
    package var maxConcurrentStreams: UInt32 = 100

    /// Bytes of one header list, counted as RFC 9113 section 6.5.2 does: names, values and 32 for each field.
    /// A stream that exceeds it is reset with `ENHANCE_YOUR_CALM`.
    package var maxHeaderListSize = 16 << 10

    /// CONTINUATION frames that may follow one HEADERS frame; more end the connection with GOAWAY `ENHANCE_YOUR_CALM`
    /// (CVE-2024-28182).
    package var maxContinuations = 8

    /// Largest frame payload that the peer may send (`SETTINGS_MAX_FRAME_SIZE`), 16 384...16 777 215.
    package var maxFrameSize: UInt32 = 16 << 10

    /// Bytes that the peer may have on the way per stream and per connection. Received bytes are given back at once:
    /// what bounds memory is the limit on half-received messages in the layer above, so the windows only have to
    /// cover one round trip of the largest usual request.
    package var streamWindow: Int32 = 256 << 10
    package var connectionWindow: Int32 = 1 << 20

    /// RST_STREAM frames accepted, and stream errors answered, per connection: a burst, then this many a second.
    /// Above it the connection ends with GOAWAY `ENHANCE_YOUR_CALM` (CVE-2023-44487, CVE-2025-8671).
    package var resets = Allowance(burst: 200, perSecond: 20)

    /// PING, SETTINGS, PRIORITY, unknown, empty and padded DATA frames accepted, and WINDOW_UPDATE beyond ``dataPerWindowUpdate``.
    /// Generous, because clients that estimate bandwidth ping once in a round trip; above it the connection ends with
    /// GOAWAY `ENHANCE_YOUR_CALM`.
    package var controlFrames = Allowance(burst: 2_000, perSecond: 500)

    /// Bytes of DATA sent for which a WINDOW_UPDATE is free. Clients give back windows by the half or the quarter.
    static let dataPerWindowUpdate = 1 << 10

    /// Acknowledgements of SETTINGS and PING that may wait for a peer that does not read; more end the connection with
    /// GOAWAY `ENHANCE_YOUR_CALM`.
    package var maxPendingAcknowledgements = 500

    /// Bytes taken from the streams before they are handed to the socket: what a slow reader can pin, beside the
    /// kernel's own buffer. Message bytes are shared slices, so they cost memory only when TLS encrypts them.
    package var maxBufferedOutput = 256 << 10

    /// How long the peer may take from being accepted to its SETTINGS frame (with TLS: handshake included).
    package var handshakeTimeout: TimeAmount = .seconds(10)

    /// How long the peer may take from the first to the last byte of a frame, or of a header block of several.
    package var frameTimeout: TimeAmount = .seconds(20)

    /// Silence after which a PING is sent, and how long the peer may take to send anything before it counts as gone.
    package var keepaliveInterval: TimeAmount = .seconds(30)
    package var keepaliveTimeout: TimeAmount = .seconds(20)

    /// A connection without a stream for this long is closed gracefully, and after as long again in any case.
    package var idleTimeout: TimeAmount = .minutes(5)

    package init() {}

    /// A token bucket: `burst` at once, then `perSecond`.
    package struct Allowance: Sendable, Hashable {
        package var burst: Int
        package var perSecond: Int

        package init(burst: Int, perSecond: Int) {
            self.burst = burst
            self.perSecond = perSecond
        }
    }
}

/// The rest of an ``HTTP2Configuration/Allowance``.
struct TokenBucket {
    private let allowance: HTTP2Configuration.Allowance
    private var tokens: Int
    private var refilled: NIODeadline

    init(_ allowance: HTTP2Configuration.Allowance, at now: NIODeadline) {
        self.allowance = allowance
        self.tokens = allowance.burst
        self.refilled = now
    }

    /// Takes one token.
    ///
    /// - Returns: whether there was one.
    mutating func take(at now: NIODeadline) -> Bool {
        if tokens == 0 {
            // Only an empty bucket looks at the clock; a quiet peer costs a decrement.
            let (product, overflow) = (now - refilled).nanoseconds.multipliedReportingOverflow(
                by: Int64(allowance.perSecond))
            let earned = overflow ? allowance.burst : Int(clamping: product / 1_000_000_000)
            guard earned > 0 else { return false }
            tokens = min(allowance.burst, earned)
            refilled = now
        }
        tokens -= 1
        return true
    }
}
