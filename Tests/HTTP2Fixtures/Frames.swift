package import NIOCore

/// Builds HTTP/2 frames by hand, right and wrong ones.
package enum Frame {
    package static let preface = ByteBuffer(string: "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")

    package static func raw(
        _ type: UInt8, flags: UInt8 = 0, stream: UInt32 = 0, _ payload: [UInt8] = [], claiming length: Int? = nil
    ) -> ByteBuffer {
        let length = UInt32(length ?? payload.count)
        var buffer = ByteBuffer()
        buffer.writeInteger(UInt8(length >> 16 & 0xff))
        buffer.writeInteger(UInt16(length & 0xffff))
        buffer.writeInteger(type)
        buffer.writeInteger(flags)
        buffer.writeInteger(stream)
        buffer.writeBytes(payload)
        return buffer
    }

    package static let settings = settings([])
    /// Of pairs of identifier and value.
    package static func settings(_ values: [(id: UInt16, value: UInt32)]) -> ByteBuffer {
        var payload = ByteBuffer()
        for (id, value) in values { payload.writeMultipleIntegers(id, value) }
        return raw(4, Array(buffer: payload))
    }

    package static let settingsAck = raw(4, flags: 1)
    package static let ping = raw(6, [1, 2, 3, 4, 5, 6, 7, 8])

    /// The headers of a gRPC request of `/a/b`, without Huffman and without the dynamic table.
    package static let requestBlock: [UInt8] =
        [0x83, 0x86, 0x04, 4] + Array("/a/b".utf8) + [0x01, 1] + Array("x".utf8)
        + [0x0f, 0x10, 16] + Array("application/grpc".utf8)
        + [0x00, 2] + Array("te".utf8) + [8] + Array("trailers".utf8)

    /// What the first header block must begin with after a client has acknowledged our SETTINGS, which ask for no dynamic
    /// table (RFC 7541, 4.2).
    package static let noTable: [UInt8] = [0x20]

    /// An entry of 4 000 bytes for the dynamic table, then references to it: 40 kB of headers in ten more bytes.
    package static let hugeField: [UInt8] =
        [0x40, 1, UInt8(ascii: "a"), 0x7f, 0xa1, 0x1e] + [UInt8](repeating: 0x62, count: 4_000)
        + [UInt8](repeating: 0xbe, count: 10)

    /// Flags: END_HEADERS, and END_STREAM when asked.
    package static func request(_ stream: UInt32, block: [UInt8] = requestBlock, endStream: Bool = false) -> ByteBuffer
    {
        raw(1, flags: endStream ? 5 : 4, stream: stream, block)
    }

    package static func data(_ stream: UInt32, _ bytes: [UInt8], endStream: Bool = false) -> ByteBuffer {
        raw(0, flags: endStream ? 1 : 0, stream: stream, bytes)
    }

    /// DATA that is nothing but padding.
    package static func padding(_ stream: UInt32, _ count: UInt8 = 0) -> ByteBuffer {
        raw(0, flags: 8, stream: stream, [count] + [UInt8](repeating: 0, count: Int(count)))
    }

    package static func reset(_ stream: UInt32) -> ByteBuffer { raw(3, stream: stream, [0, 0, 0, 8]) }

    package static func windowUpdate(_ stream: UInt32, _ increment: UInt32) -> ByteBuffer {
        raw(8, stream: stream, (0..<4).reversed().map { UInt8(increment >> ($0 * 8) & 0xff) })
    }
}

/// The frames in a piece of output.
package struct ParsedFrame: Equatable {
    package var type: UInt8
    package var flags: UInt8
    package var stream: UInt32
    package var payload: [UInt8]

    package static func all(in bytes: ByteBuffer) -> [ParsedFrame] {
        var bytes = bytes
        var frames: [ParsedFrame] = []
        while let high = bytes.readInteger(as: UInt8.self), let low = bytes.readInteger(as: UInt16.self),
            let type = bytes.readInteger(as: UInt8.self), let flags = bytes.readInteger(as: UInt8.self),
            let stream = bytes.readInteger(as: UInt32.self),
            let payload = bytes.readBytes(length: Int(high) << 16 | Int(low))
        {
            frames.append(ParsedFrame(type: type, flags: flags, stream: stream, payload: payload))
        }
        return frames
    }

    /// The error code of RST_STREAM and GOAWAY.
    package var errorCode: UInt32? {
        let code =
            switch type {
            case 3: payload.prefix(4)
            case 7: payload.dropFirst(4).prefix(4)
            default: ArraySlice<UInt8>()
            }
        return code.count == 4 ? code.reduce(0) { $0 << 8 | UInt32($1) } : nil
    }
}
