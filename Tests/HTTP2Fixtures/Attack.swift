package import NIOCore
internal import Testing

/// What a hostile client sends after its preface and SETTINGS, and what it is told.
package struct Attack: CustomTestStringConvertible {
    package let testDescription: String
    package let frames: [ByteBuffer]
    /// Expected in GOAWAY.
    package let code: UInt32

    init(_ description: String, _ frames: [ByteBuffer], code: UInt32) {
        testDescription = description
        self.frames = frames
        self.code = code
    }

    /// The same frame again and again, on a connection with an open stream.
    init(_ description: String, flood frame: ByteBuffer, code: UInt32 = calm) {
        self.init(
            description, [Frame.request(1)] + [ByteBuffer](repeating: frame, count: 3_000), code: code)
    }

    /// A new stream and another frame on it, again and again.
    init(_ description: String, perStream frame: (UInt32) -> ByteBuffer, code: UInt32 = calm) {
        let streams = (0..<300).map { UInt32($0) * 2 + 1 }
        self.init(description, streams.flatMap { [Frame.request($0), frame($0)] }, code: code)
    }

    /// Streams that are broken from the start.
    init(_ description: String, streams frame: (UInt32) -> ByteBuffer) {
        self.init(description, (0..<300).map { frame($0 * 2 + 1) }, code: Self.calm)
    }

    /// `ENHANCE_YOUR_CALM`.
    static let calm: UInt32 = 11
}

extension Attack {
    /// Frames that no correct client sends.
    package static let violations = [
        Attack("frame above the size limit", [Frame.raw(0, stream: 1, claiming: 16_385)], code: 6),
        Attack("frame of 16 MiB", [Frame.raw(1, stream: 1, claiming: 0xff_ffff)], code: 6),
        Attack("bad HPACK index", [Frame.request(1, block: [0xff, 0xff, 0xff, 0x0f])], code: 9),
        Attack("HPACK integer overflow", [Frame.request(1, block: [UInt8](repeating: 0xff, count: 40))], code: 9),
        Attack("HPACK table size above the limit", [Frame.request(1, block: [0x3f, 0xff, 0xff, 0xff, 0x07])], code: 9),
        Attack("PING of 7 bytes", [Frame.raw(6, [1, 2, 3, 4, 5, 6, 7])], code: 6),
        Attack("PING on a stream", [Frame.raw(6, stream: 1, [1, 2, 3, 4, 5, 6, 7, 8])], code: 1),
        Attack("SETTINGS of 5 bytes", [Frame.raw(4, [1, 2, 3, 4, 5])], code: 6),
        Attack("SETTINGS with a window above 2^31", [Frame.settings([(4, 0xffff_ffff)])], code: 3),
        Attack("SETTINGS with frames of one byte", [Frame.settings([(5, 1)])], code: 1),
        Attack("SETTINGS that allow two pushes", [Frame.settings([(2, 2)])], code: 1),
        Attack("SETTINGS of a thousand values", [Frame.settings((0..<1_000).map { (3, $0) })], code: calm),
        Attack("SETTINGS on a stream", [Frame.raw(4, stream: 1)], code: 1),
        Attack("acknowledgement of SETTINGS that were not sent", [Frame.settingsAck, Frame.settingsAck], code: 1),
        Attack("WINDOW_UPDATE of zero", [Frame.windowUpdate(0, 0)], code: 1),
        Attack("WINDOW_UPDATE of zero on a stream", [Frame.request(1), Frame.windowUpdate(1, 0)], code: 1),
        Attack("WINDOW_UPDATE of 3 bytes", [Frame.raw(8, [0, 0, 1])], code: 6),
        Attack("WINDOW_UPDATE of an idle stream", [Frame.windowUpdate(1, 1)], code: 1),
        Attack(
            "WINDOW_UPDATE beyond 2^31",
            [Frame.windowUpdate(0, 0x7fff_ffff), Frame.windowUpdate(0, 0x7fff_ffff)], code: 3),
        Attack("RST_STREAM of an idle stream", [Frame.reset(1)], code: 1),
        Attack("PRIORITY of 4 bytes", [Frame.raw(2, stream: 1, [0, 0, 0, 3])], code: 6),
        Attack("a stream that depends on itself", [Frame.raw(2, stream: 1, [0, 0, 0, 1, 1])], code: 1),
        Attack("DATA on an idle stream", [Frame.data(1, [1])], code: 1),
        Attack("DATA on stream zero", [Frame.data(0, [1])], code: 1),
        Attack("DATA after the end of its stream", [Frame.request(1, endStream: true), Frame.data(1, [1])], code: 5),
        Attack(
            "HEADERS after the end of their stream", [Frame.request(1, endStream: true), Frame.request(1)], code: 5),
        Attack("HEADERS on stream zero", [Frame.request(0)], code: 1),
        Attack("HEADERS on an even stream", [Frame.request(2)], code: 1),
        Attack("CONTINUATION without HEADERS", [Frame.raw(9, stream: 1, [0x82])], code: 1),
        Attack("another frame inside a header block", [Frame.raw(1, stream: 1, [0x83]), Frame.ping], code: 1),
        Attack("PUSH_PROMISE of a client", [Frame.raw(5, flags: 4, stream: 1, [0, 0, 0, 2, 0x82])], code: 1),
        Attack(
            "padding longer than the frame",
            [Frame.request(1), Frame.raw(0, flags: 8, stream: 1, [200, 1])], code: 1),
        Attack(
            "more streams than allowed",
            [Frame.settingsAck, Frame.request(1, block: Frame.noTable + Frame.requestBlock)]
                + (1...100).map { Frame.request($0 * 2 + 1) }, code: 1),
        Attack("a dynamic table that was forbidden", [Frame.settingsAck, Frame.request(1)], code: 9),
    ]

    /// Frames that every client may send, but not that often.
    package static let floods = [
        Attack("PING flood", flood: Frame.ping),
        Attack("flood of answers to PING", flood: Frame.raw(6, flags: 1, [1, 2, 3, 4, 5, 6, 7, 8])),
        Attack("SETTINGS flood", flood: Frame.settings),
        Attack("flood of changing windows", flood: Frame.settings([(4, 0), (4, 1 << 20)])),
        Attack("PRIORITY flood", flood: Frame.raw(2, stream: 9, [0, 0, 0, 0, 1])),
        Attack("flood of updated priorities", flood: Frame.raw(16, [0, 0, 0, 1] + Array("u=1".utf8))),
        Attack("GOAWAY flood", flood: Frame.raw(7, [UInt8](repeating: 0, count: 8))),
        Attack("flood of frames of an unknown type", flood: Frame.raw(0xee, [1])),
        Attack("empty DATA flood", flood: Frame.data(1, [])),
        Attack(
            "empty DATA flood on a closed stream",
            [Frame.request(1), Frame.reset(1)] + [ByteBuffer](repeating: Frame.data(1, []), count: 3_000), code: calm),
        Attack("flood of DATA that is all padding", flood: Frame.padding(1, 3)),
        Attack("WINDOW_UPDATE flood on the connection", flood: Frame.windowUpdate(0, 1)),
        Attack("WINDOW_UPDATE flood on a stream", flood: Frame.windowUpdate(1, 1)),
        Attack(
            "CONTINUATION flood",
            [Frame.raw(1, stream: 1, Frame.requestBlock)]
                + [ByteBuffer](repeating: Frame.raw(9, stream: 1), count: 3_000), code: calm),
        Attack(
            "CONTINUATION flood on a stream that is refused",
            (0...100).map { Frame.request($0 * 2 + 1) } + [Frame.raw(1, stream: 203, Frame.requestBlock)]
                + [ByteBuffer](repeating: Frame.raw(9, stream: 203), count: 3_000), code: calm),
        Attack("rapid reset", perStream: { Frame.reset($0) }),
        Attack("flood of resets of a closed stream", flood: Frame.reset(1)),
        Attack("resets by windows that overflow", perStream: { Frame.windowUpdate($0, 0x7fff_ffff) }),
        Attack("resets by trailers that are none", perStream: { Frame.request($0) }),
        Attack(
            "resets by bodies longer than they claim",
            (0..<300).flatMap { (index: UInt32) in
                let block = Frame.requestBlock + [0x0f, 0x0d, 1, UInt8(ascii: "1")]  // content-length: 1
                return [Frame.request(index * 2 + 1, block: block), Frame.data(index * 2 + 1, [1, 2])]
            }, code: calm),
        Attack(
            "resets by names in capitals", streams: { Frame.request($0, block: Frame.requestBlock + [0, 1, 0x41, 0]) }),
        Attack("resets by requests without a path", streams: { Frame.request($0, block: [0x83, 0x86]) }),
        Attack(
            "resets by header lists above the limit",
            streams: { Frame.request($0, block: Frame.requestBlock + Frame.hugeField) }),
    ]
}
