package import NIOCore

/// The delegate of a connection. Every call is made on the connection's event loop.
package protocol HTTP2ConnectionDelegate: AnyObject {
    /// Server: request headers arrived. The result is told what happens on the stream; without one it is refused.
    func opened(_ stream: HTTP2Stream, headers: [HTTP2Header]) -> (any HTTP2StreamDelegate)?
    /// The peer's SETTINGS arrived: it speaks HTTP/2.
    func handshakeCompleted()
    /// The connection is gone, and every stream was told. `nil`: it ended in order, or the peer closed it.
    func closed(_ error: (any Error)?)
}

/// The channel handler: bytes of the socket on one side, streams on the other. The last handler of its pipeline.
///
/// Output is pulled from the session only while the channel is writable, so what waits stays in the streams, where
/// newer state can replace it. All that one turn of the event loop produces leaves in one flush, unless who produces it
/// knows better (``flushing(_:)``).
package final class HTTP2Connection: ChannelDuplexHandler {
    package typealias InboundIn = ByteBuffer
    package typealias InboundOut = Never
    package typealias OutboundIn = Never
    package typealias OutboundOut = ByteBuffer

    package let configuration: HTTP2Configuration
    private let role: HTTP2Role
    private var delegate: (any HTTP2ConnectionDelegate)?
    private var session: HTTP2Session?
    private var context: ChannelHandlerContext?
    private var watchdog: Watchdog

    private var failure: (any Error)?
    private var output = OutputState()
    /// The channel asked to read while it was not writable.
    package private(set) var isReadHeld = false
    private var isDraining = false

    /// - Parameter delegate: kept until the connection is closed.
    package init(
        _ role: HTTP2Role, configuration: HTTP2Configuration = HTTP2Configuration(),
        delegate: any HTTP2ConnectionDelegate
    ) {
        self.role = role
        self.configuration = configuration
        self.delegate = delegate
        self.watchdog = Watchdog(configuration)
    }

    // MARK: Life

    package func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        if context.channel.isActive { start(context) }
    }

    package func channelActive(context: ChannelHandlerContext) {
        start(context)
        context.fireChannelActive()
    }

    package func handlerRemoved(context: ChannelHandlerContext) { stop() }

    package func channelInactive(context: ChannelHandlerContext) {
        stop()
        context.fireChannelInactive()
    }

    package func errorCaught(context: ChannelHandlerContext, error: any Error) {
        close(for: error)
    }

    private func start(_ context: ChannelHandlerContext) {
        guard session == nil, delegate != nil else { return }
        do {
            let session = try HTTP2Session(role: role, configuration: configuration, now: context.eventLoop.now)
            session.observer = self
            self.session = session
            watchdog.start(at: context.eventLoop.now)
            scheduleWatchdog()
            // A client has to speak first in any case (RFC 9113 section 3.4), and what answers it takes our SETTINGS along:
            // a thousand that come at once are a thousand writes less, and as many reads less for them.
            if role == .client { pump() }
        } catch {
            close(for: error)
        }
    }

    private func stop() {
        guard let delegate else { return }
        self.delegate = nil
        watchdog.cancel()
        let streams = session?.takeStreams() ?? []
        session?.observer = nil
        session = nil
        for stream in streams {
            let streamDelegate = stream.delegate
            stream.delegate = nil
            stream.discard()
            streamDelegate?.closed(stream, code: nil)
        }
        context = nil
        delegate.closed(failure)
    }

    private func close(for error: (any Error)?) {
        guard let context else { return }
        if failure == nil { failure = error }
        context.close(promise: nil)
    }

    // MARK: Input

    package func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard let session else { return }
        let buffer = unwrapInboundIn(data)
        watchdog.received(at: context.eventLoop.now)
        let isOutermost = output.beginGathering()
        do {
            try session.receive(buffer, at: context.eventLoop.now)
        } catch {
            if isOutermost { output.endGathering() }
            failure = failure ?? error
            // What the session still has to say (GOAWAY with the reason) goes out before the end.
            pump()
            close(for: error)
            return
        }
        if isOutermost { output.endGathering(isDirty: true) } else { needsFlush() }
        if watchdog.unfinished(session.unfinished, at: context.eventLoop.now) { scheduleWatchdog() }
    }

    package func channelReadComplete(context: ChannelHandlerContext) {
        flushIfNeeded()
        context.fireChannelReadComplete()
    }

    /// A peer that does not read is not read from: its requests would only produce answers that have to wait.
    package func read(context: ChannelHandlerContext) {
        if (context.channel.isWritable || role == .client) && !isReadPaused {
            context.read()
        } else {
            isReadHeld = true
        }
    }

    /// While set, nothing more is read from the peer.
    package var isReadPaused = false {
        didSet {
            guard !isReadPaused, let context else { return }
            watchdog.received(at: context.eventLoop.now)
            readIfHeld(context)
        }
    }

    private func readIfHeld(_ context: ChannelHandlerContext) {
        guard isReadHeld else { return }
        isReadHeld = false
        read(context: context)
    }

    // MARK: Output

    package func channelWritabilityChanged(context: ChannelHandlerContext) {
        if context.channel.isWritable {
            watchdog.received(at: context.eventLoop.now)
            readIfHeld(context)
            pump()
        }
        context.fireChannelWritabilityChanged()
    }

    /// Writes what `body` has to say at its end, not at that of this turn of the event loop. Who has something for many
    /// connections has each receive its own while the next one's is made, and goes through what it knows of each once.
    package func flushing(_ body: () -> Void) {
        guard output.beginGathering() else { return body() }
        body()
        output.endGathering()
        flushIfNeeded()
    }

    private func flushIfNeeded() {
        if output.takeGathered() { pump() }
    }

    /// Moves what waits to the socket, as far as that accepts it, and tells the streams that have nothing left. What they
    /// say then follows at once, unless it does not end.
    private func pump() {
        for _ in 0..<Self.writesAtOnce {
            guard output.beginWriting() else { return }
            let emptied = write()
            output.endWriting()
            guard let emptied, output.beginGathering() else { return }
            for stream in emptied where stream.pendingBytes == 0 { stream.delegate?.emptied(stream) }
            output.endGathering()
            guard output.takeGathered() else { return closeIfFinished() }
        }
        needsFlush()
    }

    private static let writesAtOnce = 4

    /// - Returns: the streams that have had something written and perhaps have nothing left; `nil` if the connection is over.
    private func write() -> [HTTP2Stream]? {
        guard let session, let context else { return nil }
        do {
            while context.channel.isWritable {
                let hasMore = try session.pull(limit: configuration.maxBufferedOutput)
                if session.batch.isEmpty { break }
                for buffer in session.batch.take() { context.write(wrapOutboundOut(buffer), promise: nil) }
                context.flush()
                if !hasMore { break }
            }
        } catch {
            failure = failure ?? error
            close(for: error)
            return nil
        }
        defer { session.emptied = [] }
        return session.emptied
    }

    private func closeIfFinished() {
        guard let session, session.isFinished else { return }
        close(for: nil)
    }

    // MARK: Time

    private func scheduleWatchdog() {
        guard let context else { return }
        watchdog.schedule(on: context.eventLoop) { self.watchdogFired() }
    }

    private func watchdogFired() {
        guard let session, let context else { return }
        // What is not read cannot come in time.
        if isReadHeld { _ = watchdog.unfinished(nil, at: context.eventLoop.now) }
        switch watchdog.check(at: context.eventLoop.now, hasStreams: !session.streams.isEmpty) {
        case .wait: break
        case .ping: session.submitPing()
        // Who ignored it for as long again will not answer any more.
        case .drain where isDraining: return close(for: nil)
        case .drain: drain()
        case .close(let error): return close(for: error)
        }
        scheduleWatchdog()
    }

    // MARK: Use

    /// Begins a graceful end: no new streams; the connection closes when the last one has ended.
    package func drain() {
        guard let session, !isDraining else { return }
        isDraining = true
        if role == .client { return session.submitGoAway() }
        // Requests that cross the notice on the wire are still served; the answer to the PING says that it arrived.
        session.submitShutdownNotice()
        session.submitPing()
    }

    /// Ends the connection at once with GOAWAY and this code.
    package func terminate(_ code: HTTP2ErrorCode) {
        session?.terminate(code)
    }

    /// Closes the socket.
    package func close() { close(for: nil) }

    /// Client: opens a stream, or returns `nil` when the connection accepts none.
    package func request(_ headers: [HTTP2Header], delegate: any HTTP2StreamDelegate) -> HTTP2Stream? {
        session?.submitRequest(headers, delegate: delegate)
    }
}

extension HTTP2Connection: HTTP2SessionObserver {
    func opened(_ stream: HTTP2Stream, headers: [HTTP2Header]) {
        watchdog.streamOpened()
        guard let delegate = delegate?.opened(stream, headers: headers) else {
            return stream.reset(.refusedStream)
        }
        // It may have been answered and reset already.
        if !stream.isClosed { stream.delegate = delegate }
    }

    func handshakeCompleted() {
        watchdog.handshakeCompleted()
        delegate?.handshakeCompleted()
    }

    func pingAcknowledged() {
        if isDraining { session?.submitGoAway() }
    }

    func needsFlush() {
        guard let context, output.appeared() else { return }
        context.eventLoop.assumeIsolated().execute {
            self.output.turnEnded()
            self.pump()
        }
    }
}
