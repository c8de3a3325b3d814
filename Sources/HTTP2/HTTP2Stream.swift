package import NIOCore

/// The handler of one stream. Every call is made on the connection's event loop.
package protocol HTTP2StreamDelegate: AnyObject {
    /// Response headers or trailers (client), or request trailers (server).
    func received(headers: [HTTP2Header], on stream: HTTP2Stream)
    /// A part of the body. It shares memory with the read buffer: copy what has to be kept for long.
    func received(body: ByteBuffer, on stream: HTTP2Stream)
    /// The peer ended its side.
    func inputClosed(on stream: HTTP2Stream)
    /// Everything written so far was handed to the socket.
    func emptied(_ stream: HTTP2Stream)
    /// The stream is gone; the last call, made once. `nil`: the connection ended first.
    func closed(_ stream: HTTP2Stream, code: HTTP2ErrorCode?)
}

/// One HTTP/2 stream; bound to the connection's event loop.
///
/// Bodies are queued as slices. They are never copied here, so a message that goes to a thousand streams is in memory
/// once.
package final class HTTP2Stream {
    package let id: Int32

    /// Kept until the stream is closed.
    package var delegate: (any HTTP2StreamDelegate)?

    /// Bytes written and not yet handed to the socket.
    package private(set) var pendingBytes = 0

    /// `nil` once the stream is closed: whoever still holds the stream writes into the void.
    var session: HTTP2Session?

    /// The header block that is being received.
    var incoming: [HTTP2Header] = []
    var incomingCost = 0

    /// The peer has ended its side.
    var isInputClosed = false

    /// nghttp2 asked for data when there was none, and waits for `resume`.
    var isDeferred = false
    private(set) var ending = Ending.open

    private var queue: [ByteBuffer] = []
    private var queueHead = 0

    enum Ending {
        case open
        /// Ends with END_STREAM on the last DATA frame.
        case endStream
        case trailers([HTTP2Header])
        case submitted
    }

    init(id: Int32, session: HTTP2Session) {
        self.id = id
        self.session = session
    }

    package var isClosed: Bool { session == nil }

    /// Sends response headers; with `endStream` they are all there is.
    package func respond(_ headers: [HTTP2Header], endStream: Bool = false) {
        session?.submitResponse(headers, on: self, endStream: endStream)
    }

    /// Queues a part of the body. Ignored once the stream has ended.
    package func write(_ buffers: some Sequence<ByteBuffer>) {
        guard case .open = ending, let session else { return }
        for buffer in buffers where buffer.readableBytes > 0 {
            queue.append(buffer)
            pendingBytes += buffer.readableBytes
        }
        session.resume(self)
    }

    /// Ends our side after what is queued: with trailers, or with END_STREAM when there are none.
    package func end(trailers: [HTTP2Header] = []) {
        guard case .open = ending, let session else { return }
        ending = trailers.isEmpty ? .endStream : .trailers(trailers)
        session.resume(self)
    }

    /// Drops what is queued and sends RST_STREAM.
    package func reset(_ code: HTTP2ErrorCode) {
        session?.submitReset(self, code: code)
    }

    /// Moves `count` bytes from the queue to `batch`. `count` never exceeds ``pendingBytes``.
    func dequeue(_ count: Int, into batch: inout OutboundBatch) {
        var rest = count
        while rest > 0, queueHead < queue.count {
            let available = queue[queueHead].readableBytes
            if available <= rest {
                batch.append(queue[queueHead])
                queue[queueHead] = ByteBuffer()
                queueHead += 1
                rest -= available
            } else if let slice = queue[queueHead].readSlice(length: rest) {
                batch.append(slice)
                rest = 0
            }
        }
        pendingBytes -= count
        if queueHead == queue.count {
            queue = []
            queueHead = 0
        }
    }

    func markEnded() { ending = .submitted }

    func discard() {
        queue = []
        queueHead = 0
        pendingBytes = 0
    }
}
