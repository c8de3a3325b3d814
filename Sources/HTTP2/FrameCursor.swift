internal import NIOCore

/// Follows the borders of frames in what the peer sends (RFC 9113 section 4.1), one step ahead of nghttp2, which reports
/// neither the frames that it ignores nor those that have begun and not ended.
struct FrameCursor {
    struct Header: Equatable {
        var length: Int
        var type: UInt8
        var flags: UInt8

        func has(_ flag: UInt32) -> Bool { UInt32(flags) & flag != 0 }
    }

    static let headerLength = 9

    /// Bytes to pass over: of the client's preface, then of a frame's payload.
    private var skipped: Int
    /// The bytes of the next frame's header that have come.
    private var partial = ByteBuffer()
    /// Frames that have begun, with all of their header.
    private(set) var frames = 0

    /// - Parameter preface: bytes that precede the first frame.
    init(preface: Int) {
        skipped = preface
    }

    /// The number of the frame that has begun and not ended, from 0.
    var unfinishedFrame: Int? {
        if partial.readableBytes > 0 { return frames }
        return frames > 0 && skipped > 0 ? frames - 1 : nil
    }

    /// Moves behind the next frame header in `bytes`.
    ///
    /// - Returns: `nil` if it does not end in `bytes`, of which nothing is left then.
    mutating func next(in bytes: inout ByteBuffer) -> Header? {
        let passed = min(skipped, bytes.readableBytes)
        bytes.moveReaderIndex(forwardBy: passed)
        skipped -= passed
        let missing = min(Self.headerLength - partial.readableBytes, bytes.readableBytes)
        guard skipped == 0, var piece = bytes.readSlice(length: missing) else { return nil }
        partial.writeBuffer(&piece)
        guard partial.readableBytes == Self.headerLength,
            let (high, low, type, flags) = partial.readMultipleIntegers(as: (UInt8, UInt16, UInt8, UInt8).self)
        else { return nil }
        partial.clear()
        frames += 1
        skipped = Int(high) << 16 | Int(low)
        return Header(length: skipped, type: type, flags: flags)
    }
}
