package import HTTP2
package import NIOCore
package import Logging
internal import NIOSSL
internal import Synchronization

/// One client connection; bound to its event loop.
package final class GRPCConnection {
    /// Unique in the process.
    package let id: UInt64
    package let eventLoop: any EventLoop
    /// `nil` for a Unix domain socket.
    package let peer: SocketAddress?

    private let channel: any Channel
    private let configuration: GRPCServer.Configuration
    private let service: any GRPCService
    private let logger: Logger
    private let onClose: (UInt64) -> Void
    /// Until it is closed, and told so.
    private var http2: HTTP2Connection?

    private var calls: [Int32: GRPCCall] = [:]
    /// Bytes of half-received messages: of this connection, and of all.
    private var bufferedInput = 0
    private let totalBufferedInput: BufferedInput
    private var pausedCalls = 0
    private var isDraining = false
    /// Why the client's calls are not served.
    private var refusal: GRPCStatus?
    private var ageTimer: Scheduled<Void>?
    private var graceTimer: Scheduled<Void>?
    /// A call has shown who the client is.
    private var isTrusted = false
    private var strangerTimer: Scheduled<Void>?

    private static let callIDs = Atomic<UInt64>(0)

    /// - Parameter onClose: called once, with `id`.
    package init(
        id: UInt64, channel: any Channel, configuration: GRPCServer.Configuration, service: any GRPCService,
        bufferedInput: BufferedInput, logger: Logger, onClose: @escaping (UInt64) -> Void
    ) {
        self.id = id
        self.channel = channel
        self.eventLoop = channel.eventLoop
        self.peer = channel.remoteAddress
        self.configuration = configuration
        self.service = service
        self.totalBufferedInput = bufferedInput
        self.logger = logger
        self.onClose = onClose
    }

    /// The handler to put last into the pipeline.
    ///
    /// - Parameter refusal: what each call ends with, and the connection soon after the first; `nil`: calls are served.
    package func makeHandler(refusing refusal: GRPCStatus? = nil) -> HTTP2Connection {
        self.refusal = refusal
        let handler = HTTP2Connection(.server, configuration: configuration.http2, delegate: self)
        http2 = handler
        awaitCall()
        if let age = configuration.maxConnectionAge {
            // ± 10 %, so that a fleet that connected at once does not come back at once.
            let jittered = Int64(Double(age.nanoseconds) * Double.random(in: 0.9...1.1))
            ageTimer = eventLoop.assumeIsolated().scheduleTask(in: .nanoseconds(jittered)) { self.closeGracefully() }
        }
        return handler
    }

    /// A call has shown who the client is: the connection may be without calls for as long as HTTP/2 lets it.
    package func trust() {
        isTrusted = true
        strangerTimer?.cancel()
        strangerTimer = nil
    }

    /// Closes the connection if no call comes: it may be one of many of somebody who only wants to have them.
    private func awaitCall() {
        guard !isTrusted else { return }
        strangerTimer?.cancel()
        strangerTimer = eventLoop.assumeIsolated().scheduleTask(in: configuration.strangerTimeout) {
            guard !self.isTrusted, self.calls.isEmpty else { return }
            self.http2?.close()
        }
    }

    package var isTLS: Bool {
        (try? channel.pipeline.syncOperations.handler(type: NIOSSLServerHandler.self)) != nil
    }

    /// The client's certificate, verified in the handshake, when the listener asks for one.
    package var peerCertificateDER: [UInt8]? {
        guard let certificate = try? channel.pipeline.syncOperations.nioSSL_peerCertificate() else { return nil }
        return try? certificate.toDERBytes()
    }

    /// See ``HTTP2Connection/flushing(_:)``.
    package func flushing(_ body: () -> Void) {
        if let http2 { http2.flushing(body) } else { body() }
    }

    /// Ends the connection in order: GOAWAY and ``GRPCCallHandler/draining()`` now, UNAVAILABLE for the calls that are
    /// left after the grace period, and soon after that the socket is closed.
    package func closeGracefully() {
        guard !isDraining else { return }
        isDraining = true
        http2?.drain()
        for call in calls.values { call.drain() }
        graceTimer = eventLoop.assumeIsolated().scheduleTask(in: configuration.gracePeriod) { self.endCalls() }
    }

    private func endCalls() {
        for call in calls.values { call.finish(GRPCStatus(.unavailable, "the server closes this connection")) }
        closeSoon()
    }

    private func closeSoon() {
        graceTimer = eventLoop.assumeIsolated().scheduleTask(in: .seconds(1)) { self.http2?.close() }
    }

    // MARK: For calls

    /// Takes note of how much of an unfinished message a call holds.
    ///
    /// - Returns: whether that is within the limits.
    func bufferedInput(changedBy delta: Int) -> Bool {
        bufferedInput += delta
        let total = totalBufferedInput.change(by: delta)
        if delta <= 0 { return true }
        return bufferedInput <= configuration.maxBufferedInput
            && (total <= configuration.maxTotalBufferedInput || bufferedInput <= configuration.freeBufferedInput)
    }

    func inputPaused(by change: Int) {
        pausedCalls += change
        http2?.isReadPaused = pausedCalls > 0
    }

    /// Whether it is we who keep the client from sending.
    var isReadHeld: Bool { http2?.isReadHeld ?? false }

    func ended(_ call: GRPCCall, streamID: Int32) {
        calls[streamID] = nil
        if calls.isEmpty { awaitCall() }
    }

    private func refuse(_ stream: HTTP2Stream, _ refusal: GRPCRequest.Refusal) {
        switch refusal {
        case .http(let status): stream.respond([HTTP2Header(":status", String(status))], endStream: true)
        case .grpc(let status): stream.respond(GRPCCall.responseHeaders + status.trailers, endStream: true)
        }
    }
}

extension GRPCConnection: HTTP2ConnectionDelegate {
    package func opened(_ stream: HTTP2Stream, headers: [HTTP2Header]) -> (any HTTP2StreamDelegate)? {
        if let refusal {
            refuse(stream, .grpc(refusal))
            if !isDraining {
                isDraining = true
                http2?.drain()
                closeSoon()
            }
            return RefusedStream()
        }
        let request: GRPCRequest
        do {
            request = try GRPCRequest(headers)
        } catch {
            refuse(stream, error)
            return RefusedStream()
        }
        let call = GRPCCall(
            id: Self.callIDs.add(1, ordering: .relaxed).newValue, request: request, stream: stream, connection: self,
            limits: configuration)
        calls[stream.id] = call
        stream.delegate = call
        if let handler = service.open(call) {
            call.serve(handler)
        } else {
            call.finish(GRPCStatus(.unimplemented, "unknown method \(request.path)"))
        }
        if isDraining { call.drain() }
        return call
    }

    package func handshakeCompleted() {}

    package func closed(_ error: (any Error)?) {
        http2 = nil
        ageTimer?.cancel()
        graceTimer?.cancel()
        strangerTimer?.cancel()
        if let error {
            logger.debug(
                "connection closed", metadata: ["peer": "\(peer?.description ?? "unix")", "error": "\(error)"])
        }
        onClose(id)
    }
}

/// A stream that was answered already; the rest of its request is of no interest.
private final class RefusedStream: HTTP2StreamDelegate {
    func received(headers: [HTTP2Header], on stream: HTTP2Stream) {}
    func received(body: ByteBuffer, on stream: HTTP2Stream) {}
    func inputClosed(on stream: HTTP2Stream) {}
    func emptied(_ stream: HTTP2Stream) {}
    func closed(_ stream: HTTP2Stream, code: HTTP2ErrorCode?) {}
}

/// Bound to its event loop; other threads reach it through `NIOLoopBound`.
@available(*, unavailable)
extension GRPCConnection: Sendable {}
