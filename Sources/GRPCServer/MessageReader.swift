internal import NIOCore

/// Puts gRPC messages together from pieces of the body, whatever their borders.
///
/// Format: one byte that says whether the message is compressed, four bytes of length, big endian, then the message
/// ("gRPC over HTTP2", Length-Prefixed-Message).
struct MessageReader {
    static let prefixLength = 5

    private let maxMessageSize: Int
    /// Whether the peer said that it may compress, in a way that we understand.
    private let acceptsCompressed: Bool
    private var buffer = ByteBuffer()
    /// Whether `buffer` is memory of our own, not a slice of a read buffer.
    private var isOwned = true

    struct Message: Equatable {
        var isCompressed: Bool
        var body: ByteBuffer
    }

    init(maxMessageSize: Int, acceptsCompressed: Bool = false) {
        self.maxMessageSize = maxMessageSize
        self.acceptsCompressed = acceptsCompressed
    }

    /// Bytes of a message whose end has not come.
    var bufferedBytes: Int { buffer.readableBytes }

    mutating func append(_ chunk: ByteBuffer) {
        if buffer.readableBytes == 0 {
            buffer = chunk
            isOwned = false
        } else {
            buffer.writeImmutableBuffer(chunk)
        }
    }

    /// The next whole message.
    ///
    /// - Returns: `nil` when it has not come yet; what is buffered then is no longer a slice of a read buffer.
    /// - Throws: UNIMPLEMENTED for a compressed message that was not agreed on, RESOURCE_EXHAUSTED for one over the limit.
    ///   Nothing can be read after that.
    mutating func next() throws(GRPCStatus) -> Message? {
        guard let (flag, length) = peekPrefix() else {
            own()
            return nil
        }
        // The reserved bits of the flag byte are as unreadable as a compressed message.
        guard flag == 0 || (flag == 1 && acceptsCompressed) else {
            throw GRPCStatus(.unimplemented, "compressed messages are not supported")
        }
        guard length <= maxMessageSize else {
            throw GRPCStatus(.resourceExhausted, "message of \(length) bytes; the limit is \(maxMessageSize)")
        }
        guard buffer.readableBytes - Self.prefixLength >= length else {
            own()
            return nil
        }
        buffer.moveReaderIndex(forwardBy: Self.prefixLength)
        guard let body = buffer.readSlice(length: length) else { return nil }
        isOwned = false  // The message shares it.
        return Message(isCompressed: flag == 1, body: body)
    }

    private func peekPrefix() -> (flag: UInt8, length: Int)? {
        guard let flag = buffer.getInteger(at: buffer.readerIndex, as: UInt8.self),
            let length = buffer.getInteger(at: buffer.readerIndex + 1, as: UInt32.self)
        else { return nil }
        return (flag, Int(length))
    }

    /// A few bytes must not keep a whole read buffer alive while their message is incomplete.
    private mutating func own() {
        guard !isOwned else { return }
        isOwned = true
        var copy = ByteBuffer()
        // What is announced is believed as far as some of it has come.
        if let length = peekPrefix()?.length {
            copy.reserveCapacity(min(Self.prefixLength + length, 4 * buffer.readableBytes))
        }
        copy.writeImmutableBuffer(buffer)
        buffer = copy
    }
}
