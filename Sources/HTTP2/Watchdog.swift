internal import NIOCore

/// The clocks of one connection, in one timer: handshake, header block, silence, idleness.
///
/// Receiving only writes down the time; the timer finds out, when it fires, whether there is anything to do. So a
/// busy connection schedules nothing, and an idle one wakes once in a keepalive interval.
struct Watchdog {
    enum Action {
        case wait
        case ping
        case drain
        case close(HTTP2Error)
    }

    private let configuration: HTTP2Configuration
    private var timer: Scheduled<Void>?
    private var lastReceived = NIODeadline.distantFuture
    private var pinged: NIODeadline?
    private var handshakeDeadline: NIODeadline?
    private var headersDeadline: NIODeadline?
    private var idleSince: NIODeadline?

    init(_ configuration: HTTP2Configuration) {
        self.configuration = configuration
    }

    mutating func start(at now: NIODeadline) {
        lastReceived = now
        handshakeDeadline = now + configuration.handshakeTimeout
    }

    mutating func cancel() {
        timer?.cancel()
        timer = nil
    }

    /// The peer shows life.
    mutating func received(at now: NIODeadline) {
        lastReceived = now
        pinged = nil
    }

    mutating func streamOpened() { idleSince = nil }

    mutating func handshakeCompleted() { handshakeDeadline = nil }

    /// - Returns: whether the timer has to be set anew.
    mutating func headers(pending: Bool, at now: NIODeadline) -> Bool {
        guard pending else {
            headersDeadline = nil
            return false
        }
        guard headersDeadline == nil else { return false }
        headersDeadline = now + configuration.handshakeTimeout
        return true
    }

    /// What the time asks for.
    mutating func check(at now: NIODeadline, hasStreams: Bool) -> Action {
        if let handshakeDeadline, now >= handshakeDeadline { return .close(.handshakeTimeout) }
        if let headersDeadline, now >= headersDeadline { return .close(.handshakeTimeout) }
        idleSince = hasStreams ? nil : idleSince ?? now
        if let idleSince, now >= idleSince + configuration.idleTimeout {
            self.idleSince = nil
            return .drain
        }
        if let pinged {
            return now >= pinged + configuration.keepaliveTimeout ? .close(.keepaliveTimeout) : .wait
        }
        if handshakeDeadline == nil, now >= lastReceived + configuration.keepaliveInterval {
            pinged = now
            return .ping
        }
        return .wait
    }

    /// Sets the timer to the earliest clock.
    mutating func schedule(on eventLoop: any EventLoop, _ fire: @escaping () -> Void) {
        timer?.cancel()
        let silence =
            pinged.map { $0 + configuration.keepaliveTimeout } ?? lastReceived + configuration.keepaliveInterval
        let idle = idleSince.map { $0 + configuration.idleTimeout }
        let deadlines = [handshakeDeadline, headersDeadline, handshakeDeadline == nil ? silence : nil, idle]
        guard let next = deadlines.compactMap({ $0 }).min() else { return }
        timer = eventLoop.assumeIsolated().scheduleTask(deadline: next, fire)
    }
}
