internal import NIOCore

/// The clocks of one connection, in one timer: handshake, unfinished frame, silence, idleness.
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
    /// The frame or header block that is being received, and until when it may be.
    private var unfinished: (frame: Int, deadline: NIODeadline)?
    /// When the timer fires.
    private var scheduled: NIODeadline?
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

    /// - Parameter frame: the number of the frame or header block that has begun and not ended, if there is one.
    /// - Returns: whether the timer has to be set anew.
    mutating func unfinished(_ frame: Int?, at now: NIODeadline) -> Bool {
        guard let frame, handshakeDeadline == nil else {
            unfinished = nil
            return false
        }
        guard unfinished?.frame != frame else { return false }
        let deadline = now + configuration.frameTimeout
        unfinished = (frame, deadline)
        // A timer that fires too early finds out.
        return scheduled.map { $0 > deadline } ?? true
    }

    /// The action that is due.
    mutating func check(at now: NIODeadline, hasStreams: Bool) -> Action {
        if let handshakeDeadline, now >= handshakeDeadline { return .close(.handshakeTimeout) }
        if let unfinished, now >= unfinished.deadline { return .close(.frameTimeout) }
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
        let deadlines = [handshakeDeadline, unfinished?.deadline, handshakeDeadline == nil ? silence : nil, idle]
        scheduled = deadlines.compactMap { $0 }.min()
        guard let next = scheduled else { return }
        timer = eventLoop.assumeIsolated().scheduleTask(deadline: next, fire)
    }
}
