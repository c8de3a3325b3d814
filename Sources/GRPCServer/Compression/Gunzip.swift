internal import CZlib
package import NIOCore

/// Decompresses gzip, up to a limit. One may be used again and again, which saves zlib's memory (40 kB) being made anew.
@safe package final class Gunzip {
    /// The stream that zlib's own state points back to, so it cannot move.
    private let stream = UnsafeMutablePointer<z_stream>.allocate(capacity: 1)

    /// - Throws: INTERNAL when memory is exhausted.
    package init() throws(GRPCStatus) {
        unsafe stream.initialize(to: z_stream())
        // 16: gzip's frame, not zlib's own.
        let status = unsafe inflateInit2_(
            stream, 16 + MAX_WBITS, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size))
        // The deinitialiser runs for this error too, and ends what did not begin, which zlib takes.
        guard status == Z_OK else { throw GRPCStatus(.internal, "no memory to decompress") }
    }

    deinit {
        unsafe inflateEnd(stream)
        unsafe stream.deallocate()
    }

    /// Decompresses one message, with memory that is only used for it.
    static func bytes(of compressed: ByteBuffer, limit: Int) throws(GRPCStatus) -> ByteBuffer {
        try Gunzip().bytes(of: compressed, limit: limit)
    }

    /// - Parameters:
    ///   - compressed: the message; if a prefix is enough, it may be cut off.
    ///   - limit: bytes of the result.
    ///   - isPrefixEnough: gives what comes first, up to the limit, instead of an error about the rest.
    /// - Throws: INTERNAL for what is no gzip, RESOURCE_EXHAUSTED for more than `limit` bytes.
    package func bytes(
        of compressed: ByteBuffer, limit: Int, isPrefixEnough: Bool = false
    ) throws(GRPCStatus) -> ByteBuffer {
        unsafe inflateReset(stream)
        var output = ByteBuffer()
        let end = unsafe compressed.withUnsafeReadableBytes { source in
            unsafe stream.pointee.next_in = UnsafeMutablePointer(
                mutating: source.bindMemory(to: UInt8.self).baseAddress)
            unsafe stream.pointee.avail_in = UInt32(clamping: source.count)
            return inflateAll(into: &output, limit: limit)
        }
        switch end {
        case Z_STREAM_END where unsafe stream.pointee.avail_in == 0: return output
        case Z_OK where isPrefixEnough: return output
        case Z_OK: throw GRPCStatus(.resourceExhausted, "decompresses to more than \(limit) bytes")
        default: throw GRPCStatus(.internal, "not a gzip message")
        }
    }

    /// - Returns: what zlib said last; `Z_OK` means that the limit is reached.
    private func inflateAll(into output: inout ByteBuffer, limit: Int) -> Int32 {
        var status = Z_OK
        var room = 4_096
        while status == Z_OK, output.readableBytes < limit {
            let before = output.readableBytes
            let size = min(room, limit - before)
            unsafe output.writeWithUnsafeMutableBytes(minimumWritableBytes: size) { target in
                unsafe stream.pointee.next_out = target.bindMemory(to: UInt8.self).baseAddress
                unsafe stream.pointee.avail_out = UInt32(size)
                status = unsafe inflate(stream, Z_NO_FLUSH)
                return unsafe size - Int(stream.pointee.avail_out)
            }
            // Without progress the input ended too early.
            if status == Z_OK, output.readableBytes == before { return Z_BUF_ERROR }
            room = min(room * 4, 1 << 20)
        }
        return status
    }
}
