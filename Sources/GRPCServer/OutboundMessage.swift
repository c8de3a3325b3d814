package import NIOCore

/// One gRPC message to send: its five-byte prefix and the segments of its body.
///
/// Built once and sent to any number of streams: the segments are shared, not copied. Segments below 1 KiB are
/// copied into the buffer of frame headers, so many tiny ones are better joined before.
package struct OutboundMessage: Sendable {
    /// Bytes of the body as it is sent, without the prefix.
    package let count: Int

    /// Whether the body is gzip: only for calls with ``GRPCCall/acceptsGzip``.
    package let isCompressed: Bool

    /// Prefix and body, in order.
    let framed: [ByteBuffer]

    package init(_ bytes: ByteBuffer) {
        self.init(segments: CollectionOfOne(bytes))
    }

    /// - Parameter segments: the body is their concatenation; at most `UInt32.max` bytes, a limit of the format.
    package init(segments: some Collection<ByteBuffer>) {
        self.init(segments: Array(segments), isCompressed: false)
    }

    /// - Parameter parts: the body is their concatenation, compressed.
    package init(gzip parts: [GzipPart]) {
        self.init(segments: GzipMember(parts).segments, isCompressed: true)
    }

    /// - Parameter gzip: the body, compressed already.
    package init(compressed gzip: ByteBuffer) {
        self.init(segments: [gzip], isCompressed: true)
    }

    private init(segments: [ByteBuffer], isCompressed: Bool) {
        count = segments.reduce(0) { $0 + $1.readableBytes }
        precondition(count <= UInt32.max, "a gRPC message has at most 4 GiB")
        self.isCompressed = isCompressed
        var prefix = ByteBuffer()
        prefix.reserveCapacity(MessageReader.prefixLength)
        prefix.writeInteger(UInt8(isCompressed ? 1 : 0))
        prefix.writeInteger(UInt32(count))
        framed = [prefix] + segments
    }
}
