internal import CZlib
package import NIOCore

/// A piece of a gzip message that was compressed by itself, so that messages can be put together from pieces that are
/// compressed once and shared, and from others that are a message's own.
///
/// Deflated data is a sequence of blocks (RFC 1951). A piece is made of whole blocks, ends on the border of a byte and
/// refers to nothing before it, so pieces may follow each other in any order; zlib calls that a full flush. What gzip
/// (RFC 1952) has at its end, a checksum and the length, is computed from those of the pieces.
package struct GzipPart: Sendable {
    let deflated: ByteBuffer
    /// Bytes before compression.
    let count: Int
    /// Of the bytes before compression.
    let checksum: UInt32

    /// Compresses: some 20 ms a megabyte, to a twentieth for configuration.
    package init(compressing bytes: ByteBuffer) {
        if let deflated = Self.deflated(bytes) {
            self.init(deflated: deflated, of: bytes)
        } else {
            self.init(storing: bytes)
        }
    }

    /// Takes the bytes as they are ("stored blocks"): for what is small, or sent only once.
    package init(storing bytes: ByteBuffer) {
        var blocks = ByteBuffer()
        var rest = bytes
        blocks.reserveCapacity(bytes.readableBytes + 5 * (bytes.readableBytes / Int(UInt16.max) + 1))
        while rest.readableBytes > 0, let block = rest.readSlice(length: min(rest.readableBytes, Int(UInt16.max))) {
            let length = UInt16(block.readableBytes)
            // Not the last block, type 0, padding; then the length and its complement (RFC 1951, 3.2.4).
            blocks.writeInteger(UInt8(0))
            blocks.writeInteger(length, endianness: .little)
            blocks.writeInteger(~length, endianness: .little)
            blocks.writeImmutableBuffer(block)
        }
        self.init(deflated: blocks, of: bytes)
    }

    private init(deflated: ByteBuffer, of bytes: ByteBuffer) {
        self.deflated = deflated
        count = bytes.readableBytes
        checksum = Self.checksum(bytes)
    }

    /// - Returns: `nil` when there is no memory to compress with.
    private static func deflated(_ bytes: ByteBuffer) -> ByteBuffer? {
        var stream = unsafe z_stream()
        // A negative window: without zlib's own frame.
        let status = unsafe deflateInit2_(
            &stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, -MAX_WBITS, 8, Z_DEFAULT_STRATEGY, ZLIB_VERSION,
            Int32(MemoryLayout<z_stream>.size))
        guard status == Z_OK else { return nil }
        defer { unsafe deflateEnd(&stream) }
        var output = ByteBuffer()
        // Room for the flush marker, beyond what zlib itself says is enough.
        let bound = unsafe Int(deflateBound(&stream, UInt(bytes.readableBytes))) + 16
        var isDone = false
        unsafe output.writeWithUnsafeMutableBytes(minimumWritableBytes: bound) { target in
            unsafe bytes.withUnsafeReadableBytes { source in
                // zlib does not write to its input.
                unsafe stream.next_in = UnsafeMutablePointer(mutating: source.bindMemory(to: UInt8.self).baseAddress)
                unsafe stream.avail_in = UInt32(source.count)
                unsafe stream.next_out = target.bindMemory(to: UInt8.self).baseAddress
                unsafe stream.avail_out = UInt32(target.count)
                let status = unsafe deflate(&stream, Z_FULL_FLUSH)
                isDone = unsafe status == Z_OK && stream.avail_in == 0 && stream.avail_out > 0
                return unsafe target.count - Int(stream.avail_out)
            }
        }
        return isDone ? output : nil
    }

    private static func checksum(_ bytes: ByteBuffer) -> UInt32 {
        unsafe bytes.withUnsafeReadableBytes { source in
            unsafe UInt32(crc32(0, source.bindMemory(to: UInt8.self).baseAddress, UInt32(source.count)))
        }
    }
}

/// A gzip member made of parts (RFC 1952).
struct GzipMember {
    /// Deflate, no flags, no time, no hint, unknown system.
    private static let head: [UInt8] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255]

    /// In order; together they are the member.
    let segments: [ByteBuffer]

    init(_ parts: [GzipPart]) {
        var checksum: UInt = 0
        var count = 0
        for part in parts {
            checksum = crc32_combine(checksum, UInt(part.checksum), part.count)
            count += part.count
        }
        var tail = ByteBuffer()
        // The last block: empty, with fixed codes.
        tail.writeBytes([3, 0])
        tail.writeInteger(UInt32(truncatingIfNeeded: checksum), endianness: .little)
        tail.writeInteger(UInt32(truncatingIfNeeded: count), endianness: .little)
        segments = [ByteBuffer(bytes: Self.head)] + parts.map(\.deflated) + [tail]
    }
}
