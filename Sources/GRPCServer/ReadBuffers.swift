internal import NIOCore

/// Memory to read into that a connection has only while it reads: thousands of them are quiet most of the time, and what
/// each read once would otherwise stay with it.
///
/// A channel that reads once per event (`maxMessagesPerRead` is 1) keeps the first buffer that it gets, and asks for
/// another one whenever ``record(actualReadBytes:)`` says that a larger one may be needed. So the first one is small, and
/// that is always said.
struct ReadBuffers: RecvByteBufferAllocator {
    /// Requests are small; a large one only takes more reads.
    private var sizes = AdaptiveRecvByteBufferAllocator(minimum: 1_024, initial: 1_024, maximum: 32 << 10)

    func buffer(allocator: ByteBufferAllocator) -> ByteBuffer { sizes.buffer(allocator: allocator) }

    mutating func record(actualReadBytes: Int) -> Bool {
        _ = sizes.record(actualReadBytes: actualReadBytes)
        return true
    }
}
