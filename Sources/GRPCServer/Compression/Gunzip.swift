internal import CZlib
internal import NIOCore

/// Decompresses gzip, up to a limit.
enum Gunzip {
    /// - Parameters:
    ///   - limit: bytes of the result.
    ///   - isPrefixEnough: gives what comes first, up to the limit, instead of an error about the rest.
    /// - Throws: INTERNAL for what is no gzip, RESOURCE_EXHAUSTED for more than `limit` bytes.
    static func bytes(
        of compressed: ByteBuffer, limit: Int, isPrefixEnough: Bool = false
    ) throws(GRPCStatus) -> ByteBuffer {
        var stream = unsafe z_stream()
        // 16: gzip's frame, not zlib's own.
        let status = unsafe inflateInit2_(
            &stream, 16 + MAX_WBITS, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size))
        guard status == Z_OK else { throw GRPCStatus(.internal, "no memory to decompress") }
        defer { unsafe inflateEnd(&stream) }
        var output = ByteBuffer()
        let end = unsafe compressed.withUnsafeReadableBytes { source in
            unsafe stream.next_in = UnsafeMutablePointer(mutating: source.bindMemory(to: UInt8.self).baseAddress)
            unsafe stream.avail_in = UInt32(clamping: source.count)
            return unsafe inflateAll(&stream, into: &output, limit: limit)
        }
        switch end {
        case Z_STREAM_END where unsafe stream.avail_in == 0: return output
        case Z_OK where isPrefixEnough: return output
        case Z_OK: throw GRPCStatus(.resourceExhausted, "decompresses to more than \(limit) bytes")
        default: throw GRPCStatus(.internal, "not a gzip message")
        }
    }

    /// - Returns: what zlib said last; `Z_OK` means that the limit is reached.
    private static func inflateAll(_ stream: inout z_stream, into output: inout ByteBuffer, limit: Int) -> Int32 {
        var status = Z_OK
        var room = 4_096
        while status == Z_OK, output.readableBytes < limit {
            let before = output.readableBytes
            let size = min(room, limit - before)
            unsafe output.writeWithUnsafeMutableBytes(minimumWritableBytes: size) { target in
                unsafe stream.next_out = target.bindMemory(to: UInt8.self).baseAddress
                unsafe stream.avail_out = UInt32(size)
                status = unsafe inflate(&stream, Z_NO_FLUSH)
                return unsafe size - Int(stream.avail_out)
            }
            // Without progress the input ended too early.
            if status == Z_OK, output.readableBytes == before { return Z_BUF_ERROR }
            room = min(room * 4, 1 << 20)
        }
        return status
    }
}
