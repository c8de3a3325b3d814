internal import CZlib
package import NIOCore

/// A piece of a gzip message that was compressed by itself, so that messages can be put together from pieces that are
/// compressed once and shared, and from others that are a message's own.
///
/// Deflated data is a sequence of blocks (RFC 1951). A part is made of whole blocks, ends on the border of a byte and
/// refers to nothing before it, so parts may follow each other in any order; zlib calls that a flush. What gzip
/// (RFC 1952) has at its end, a checksum and the length, is computed from those of the parts.
///
/// A large part takes blocks from one of nearly the same bytes, where there is one: configuration changes a line at a time,
/// and compressing half a megabyte of it takes milliseconds.
package struct GzipPart: Sendable {
    /// The bytes as they are sent.
    let deflated: ByteBuffer
    /// Bytes before compression.
    let count: Int
    /// The checksum of the bytes before compression.
    let checksum: UInt32
    /// The source from which a part of nearly the same bytes can be made; `nil` where there is too little to be worth it.
    let source: Source?

    /// A source for reuse. It is apart from the part, because most parts are small and many, and have none.
    final class Source: Sendable {
        fileprivate let bytes: ByteBuffer
        /// The part's own bytes, in order.
        let blocks: [Block]

        fileprivate init(_ bytes: ByteBuffer, _ blocks: [Block]) {
            self.bytes = bytes
            self.blocks = blocks
        }
    }

    /// One or more blocks of deflated data. They may refer to ``window`` bytes before them in the same part.
    struct Block {
        /// The slice of one buffer that has the part's blocks, if one has.
        var deflated: ByteBuffer
        /// Bytes before compression.
        let count: Int
        /// The checksum of the bytes before compression.
        let checksum: UInt32

        init(_ deflated: ByteBuffer, of bytes: ByteBuffer) {
            self.deflated = deflated
            count = bytes.readableBytes
            checksum = unsafe bytes.withUnsafeReadableBytes { source in
                unsafe UInt32(crc32(0, source.bindMemory(to: UInt8.self).baseAddress, UInt32(source.count)))
            }
        }
    }

    /// How far back deflated data can refer (RFC 1951, 2).
    fileprivate static let window = 32 << 10
    /// Bytes before compression, about. A change costs the block that it is in and most often the next one, which refers to it;
    /// not if it is at the very beginning, where messages have their versions and lengths.
    private static let blockSize = window + (4 << 10)

    /// Compresses: some 8 ms a megabyte, to a twentieth for configuration.
    ///
    /// - Parameter old: made of bytes of which many are the same, and stand in the same places or as far from the end.
    package init(compressing bytes: ByteBuffer, reusing old: GzipPart? = nil) {
        if let blocks = Self.blocks(of: bytes, reusing: old?.source) {
            self.init(blocks, of: bytes)
        } else {
            self.init(storing: bytes)
        }
    }

    /// Takes the bytes as they are ("stored blocks"): for what is small, or sent only once.
    package init(storing bytes: ByteBuffer) {
        var stored = ByteBuffer()
        var rest = bytes
        stored.reserveCapacity(bytes.readableBytes + 5 * (bytes.readableBytes / Int(UInt16.max) + 1))
        while rest.readableBytes > 0, let block = rest.readSlice(length: min(rest.readableBytes, Int(UInt16.max))) {
            let length = UInt16(block.readableBytes)
            // Not the last block, type 0, padding; then the length and its complement (RFC 1951, 3.2.4).
            stored.writeInteger(UInt8(0))
            stored.writeInteger(length, endianness: .little)
            stored.writeInteger(~length, endianness: .little)
            stored.writeImmutableBuffer(block)
        }
        self.init([Block(stored, of: bytes)], of: bytes)
    }

    private init(_ blocks: [Block], of bytes: ByteBuffer) {
        count = bytes.readableBytes
        checksum = blocks.dropFirst().reduce(blocks.first?.checksum ?? 0) {
            UInt32(crc32_combine(UInt($0), UInt($1.checksum), $1.count))
        }
        if let only = blocks.first, blocks.count == 1 {
            (deflated, source) = (only.deflated, nil)
            return
        }
        // One buffer is quicker to send than many, and lets go of those that the blocks were taken from.
        var joined = ByteBuffer()
        joined.reserveCapacity(blocks.reduce(0) { $0 + $1.deflated.readableBytes })
        for block in blocks { joined.writeImmutableBuffer(block.deflated) }
        var rest = joined
        let slices = blocks.map { block in
            var block = block
            block.deflated = rest.readSlice(length: block.deflated.readableBytes) ?? block.deflated
            return block
        }
        (deflated, source) = (joined, Source(bytes, slices))
    }

    // MARK: Compression

    /// - Returns: `nil` when there is no memory to compress with.
    private static func blocks(of bytes: ByteBuffer, reusing old: Source?) -> [Block]? {
        var blocks: [Block] = []
        var end = 0
        if let old {
            let shift = bytes.readableBytes - old.bytes.readableBytes
            var oldStart = 0
            for block in old.blocks {
                let places = [oldStart, oldStart + shift].filter { $0 >= end }
                if let start = places.first(where: { old.isRight(block, at: oldStart, for: bytes, at: $0) }) {
                    guard let changed = deflated(bytes, end..<start) else { return nil }
                    blocks += changed + [block]
                    end = start + block.count
                }
                oldStart += block.count
            }
        }
        return deflated(bytes, end..<bytes.readableBytes).map { blocks + $0 }
    }

    /// - Returns: blocks for a range of the bytes; `nil` when there is no memory to compress with.
    private static func deflated(_ bytes: ByteBuffer, _ range: Range<Int>) -> [Block]? {
        if range.isEmpty { return [] }
        var stream = unsafe z_stream()
        // A negative window: without zlib's own frame.
        let status = unsafe deflateInit2_(
            &stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, -MAX_WBITS, 8, Z_DEFAULT_STRATEGY, ZLIB_VERSION,
            Int32(MemoryLayout<z_stream>.size))
        guard status == Z_OK else { return nil }
        defer { unsafe deflateEnd(&stream) }
        // Of about the same size, so that many small changes do not leave crumbs.
        let number = (range.count + blockSize / 2) / blockSize
        let size = number > 1 ? (range.count + number - 1) / number : range.count
        var blocks: [Block] = []
        for start in stride(from: range.lowerBound, to: range.upperBound, by: size) {
            let part = start..<min(start + size, range.upperBound)
            let deflated = unsafe bytes.withUnsafeReadableBytes { source in
                unsafe deflate(
                    &stream, UnsafeRawBufferPointer(rebasing: source[part]),
                    after: UnsafeRawBufferPointer(rebasing: source[max(0, start - window)..<start]))
            }
            guard let deflated, let plain = bytes.getSlice(at: bytes.readerIndex + start, length: part.count) else {
                return nil
            }
            blocks.append(Block(deflated, of: plain))
        }
        return blocks
    }

    private static func deflate(
        _ stream: inout z_stream, _ source: UnsafeRawBufferPointer, after before: UnsafeRawBufferPointer
    ) -> ByteBuffer? {
        unsafe deflateReset(&stream)
        if unsafe !before.isEmpty {
            unsafe deflateSetDictionary(
                &stream, before.bindMemory(to: UInt8.self).baseAddress, UInt32(before.count))
        }
        var output = ByteBuffer()
        // Room for the flush marker, beyond what zlib itself says is enough.
        let bound = unsafe Int(deflateBound(&stream, UInt(source.count))) + 16
        var isDone = false
        unsafe output.writeWithUnsafeMutableBytes(minimumWritableBytes: bound) { target in
            // zlib does not write to its input.
            unsafe stream.next_in = UnsafeMutablePointer(mutating: source.bindMemory(to: UInt8.self).baseAddress)
            unsafe stream.avail_in = UInt32(source.count)
            unsafe stream.next_out = target.bindMemory(to: UInt8.self).baseAddress
            unsafe stream.avail_out = UInt32(target.count)
            let status = unsafe CZlib.deflate(&stream, Z_SYNC_FLUSH)
            isDone = unsafe status == Z_OK && stream.avail_in == 0 && stream.avail_out > 0
            return unsafe target.count - Int(stream.avail_out)
        }
        return isDone ? output : nil
    }
}

extension GzipPart.Source {
    /// Whether one of its blocks could stand elsewhere: what it is of and all that it may refer to is the same there.
    fileprivate func isRight(
        _ block: GzipPart.Block, at start: Int, for other: ByteBuffer, at otherStart: Int
    ) -> Bool {
        let before = min(start, GzipPart.window)
        let count = before + block.count
        let (from, otherFrom) = (start - before, otherStart - before)
        guard otherFrom >= 0, let own = bytes.getSlice(at: bytes.readerIndex + from, length: count),
            let other = other.getSlice(at: other.readerIndex + otherFrom, length: count)
        else { return false }
        return own == other
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
