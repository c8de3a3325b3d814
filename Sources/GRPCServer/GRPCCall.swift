package import HTTP2
package import NIOCore

/// One call, from request headers to trailers; bound to its event loop.
package final class GRPCCall {
    /// Unique in the process.
    package let id: UInt64
    package let path: GRPCPath
    package let metadata: GRPCMetadata
    package let connection: GRPCConnection

    /// Whether the client takes gzip messages (`grpc-accept-encoding`, "gRPC over HTTP2"). Envoy's own gRPC client does
    /// not, gRPC's does.
    package let acceptsGzip: Bool

    private let stream: HTTP2Stream
    private let limits: GRPCServer.Configuration
    private var handler: (any GRPCCallHandler)?
    private var reader: MessageReader
    /// The bytes of an unfinished message, as the connection knows it.
    private var bufferedInput = 0
    /// Until when a message has to have come; `nil`: none has to.
    private var messageDeadline: NIODeadline?
    /// Fires then or earlier. It is not cancelled when the message comes, as nearly all do: a loop has to look for what it
    /// cancels among everything that it has scheduled.
    private var messageTimer: Scheduled<Void>?
    private var deadline: Scheduled<Void>?
    private var hasSentHeaders = false
    private var isInputPaused = false
    private var status: GRPCStatus?

    init(
        id: UInt64, request: GRPCRequest, stream: HTTP2Stream, connection: GRPCConnection,
        limits: GRPCServer.Configuration
    ) {
        self.id = id
        self.path = request.path
        self.metadata = request.metadata
        self.acceptsGzip = request.acceptsGzip
        self.stream = stream
        self.connection = connection
        self.limits = limits
        self.reader = MessageReader(maxMessageSize: limits.maxMessageSize)
        deadline = request.timeout.map { timeout in
            connection.eventLoop.assumeIsolated().scheduleTask(in: timeout) {
                self.finish(GRPCStatus(.deadlineExceeded, "the deadline of the call has passed"))
            }
        }
        expectMessage()
    }

    package var eventLoop: any EventLoop { connection.eventLoop }

    /// Whether everything sent so far was handed to the socket. A handler that sends only while this is true has at
    /// most one message waiting. False after the end.
    package var isWritable: Bool {
        status == nil && !stream.isClosed && stream.pendingBytes == 0
    }

    /// Sends a message. Ignored after the end of the call.
    ///
    /// While the call is not writable the message is queued; over ``GRPCServer/Configuration/maxQueuedBytes`` the call
    /// ends with RESOURCE_EXHAUSTED.
    package func send(_ message: OutboundMessage) {
        guard status == nil, !stream.isClosed else { return }
        guard stream.pendingBytes == 0 || stream.pendingBytes + message.count <= limits.maxQueuedBytes else {
            end(GRPCStatus(.resourceExhausted, "the client does not read"))
            return stream.reset(.enhanceYourCalm)
        }
        if !hasSentHeaders {
            hasSentHeaders = true
            // It says what compressed messages are compressed with, if any are.
            stream.respond(Self.responseHeaders + (acceptsGzip ? [HTTP2Header("grpc-encoding", "gzip")] : []))
        }
        stream.write(message.framed)
    }

    /// Has nothing more read from the connection until ``resumeInput()``, so that a client whose messages have to wait
    /// cannot send more of them. Other calls of the connection wait too. What was read already still comes.
    package func pauseInput() {
        guard !isInputPaused else { return }
        isInputPaused = true
        connection.inputPaused(by: +1)
    }

    /// Ends what ``pauseInput()`` began; so does the end of the call.
    package func resumeInput() {
        guard isInputPaused else { return }
        isInputPaused = false
        connection.inputPaused(by: -1)
    }

    /// Ends the call, after what is queued. Ignored after the end.
    package func finish(_ status: GRPCStatus) {
        guard self.status == nil, !stream.isClosed else { return }
        end(status)
        if hasSentHeaders {
            stream.end(trailers: status.trailers)
        } else {
            stream.respond(Self.responseHeaders + status.trailers, endStream: true)
        }
    }

    /// Identity is the only encoding that is read: requests are small, and what is not decompressed cannot be a bomb.
    static let responseHeaders = [
        HTTP2Header(":status", "200"),
        HTTP2Header("content-type", "application/grpc"),
        HTTP2Header("grpc-accept-encoding", "identity"),
    ]

    // MARK: For the connection

    func serve(_ handler: any GRPCCallHandler) {
        if status == nil, !stream.isClosed {
            self.handler = handler
        } else {
            // It was finished while it was opened, and yet wants to be told.
            handler.closed(status.map { .finished($0) } ?? .connectionLost)
        }
    }

    func drain() { handler?.draining() }

    private func end(_ status: GRPCStatus) {
        self.status = status
        stopTimers()
        try? noteBufferedInput()
    }

    private func stopTimers() {
        deadline?.cancel()
        deadline = nil
        messageTimer?.cancel()
        messageTimer = nil
    }

    private func expectMessage() {
        let deadline = eventLoop.now + limits.messageTimeout
        messageDeadline = deadline
        if messageTimer == nil { checkMessage(at: deadline) }
    }

    private func checkMessage(at time: NIODeadline) {
        messageTimer = eventLoop.assumeIsolated().scheduleTask(deadline: time) { self.messageTimerFired() }
    }

    private func messageTimerFired() {
        messageTimer = nil
        guard let messageDeadline else { return }
        if connection.isReadHeld { return expectMessage() }
        guard eventLoop.now >= messageDeadline else { return checkMessage(at: messageDeadline) }
        finish(GRPCStatus(.deadlineExceeded, "the message did not come in time"))
    }

    /// Reads messages as far as they have come.
    private func read(_ body: ByteBuffer) throws(GRPCStatus) {
        reader.append(body)
        while status == nil, let message = try reader.next() {
            messageDeadline = nil
            handler?.received(message.body)
        }
        if status == nil, reader.bufferedBytes > 0, messageDeadline == nil { expectMessage() }
    }

    private func noteBufferedInput() throws(GRPCStatus) {
        // What is left of a call that is over is of no interest.
        if status != nil || stream.isClosed { reader = MessageReader(maxMessageSize: 0) }
        let change = reader.bufferedBytes - bufferedInput
        bufferedInput = reader.bufferedBytes
        guard connection.bufferedInput(changedBy: change) else {
            throw GRPCStatus(.resourceExhausted, "too much of unfinished messages")
        }
    }
}

extension GRPCCall: HTTP2StreamDelegate {
    package func received(headers: [HTTP2Header], on stream: HTTP2Stream) {
        // Request trailers: gRPC has none.
    }

    package func received(body: ByteBuffer, on stream: HTTP2Stream) {
        guard status == nil else { return }
        do {
            try read(body)
            try noteBufferedInput()
        } catch {
            finish(error)
        }
    }

    package func inputClosed(on stream: HTTP2Stream) {
        guard status == nil else { return }
        guard reader.bufferedBytes == 0 else {
            return finish(GRPCStatus(.internal, "the request ends in the middle of a message"))
        }
        messageDeadline = nil
        handler?.inputClosed()
    }

    package func emptied(_ stream: HTTP2Stream) {
        if isWritable { handler?.writable() }
    }

    package func closed(_ stream: HTTP2Stream, code: HTTP2ErrorCode?) {
        stopTimers()
        try? noteBufferedInput()
        connection.ended(self, streamID: stream.id)
        let reason: GRPCCloseReason =
            if let status { .finished(status) } else if let code { .cancelled(code.rawValue) } else { .connectionLost }
        resumeInput()
        let handler = self.handler
        self.handler = nil
        handler?.closed(reason)
    }
}

/// Bound to its event loop; other threads reach it through `NIOLoopBound`.
@available(*, unavailable)
extension GRPCCall: Sendable {}
