internal import NIOCore

/// Memory to read into that a connection has only while it reads: thousands of them are quiet most of the time, and what
/// each read once would otherwise stay with it.
///
/// A channel that reads once per event (`maxMessagesPerRead` is 1) keeps the first buffer that it gets, and asks for
/// another one whenever ``record(actualReadBytes:)`` says that a larger one may be needed. So the first one is small, and
/// that is always said.
struct ReadBuffers: RecvByteBufferAllocator {
    private static let first = 1 << 10
    private static let capacity = 64 << 10
    private var hasRead = false

    func buffer(allocator: ByteBufferAllocator) -> ByteBuffer {
        allocator.buffer(capacity: hasRead ? Self.capacity : Self.first)
    }

    mutating func record(actualReadBytes: Int) -> Bool {
        hasRead = true
        return true
    }
}
