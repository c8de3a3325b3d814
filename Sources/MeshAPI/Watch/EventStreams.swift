internal import CoreMetrics
internal import HTTPTypes
internal import MeshCore
internal import Prometheus
internal import Synchronization

/// The event streams that are open in this process: no more than may be, each with its heartbeats.
final class EventStreams: Sendable {
    /// Heartbeats that a client may leave unread before its stream is closed.
    static let patience = 4

    /// A stream's place among them. It is given back with the last reference.
    final class Place: Sendable {
        private struct State {
            var isDue = false
            var isWriting = false
            /// Heartbeats that fell due during the write that is going on.
            var missed = 0
            var wake: (@Sendable () -> Void)?
            var giveUp: (@Sendable () -> Void)?
        }

        private let streams: EventStreams
        private let tenant: Name
        private let state = Mutex(State())

        fileprivate init(_ streams: EventStreams, _ tenant: Name) {
            self.streams = streams
            self.tenant = tenant
        }

        deinit { streams.giveBack(ObjectIdentifier(self), of: tenant) }

        /// - Parameters:
        ///   - wake: wakes the stream.
        ///   - giveUp: ends it although a write is going on.
        func begin(wake: @escaping @Sendable () -> Void, giveUp: @escaping @Sendable () -> Void) {
            state.withLock {
                $0.wake = wake
                $0.giveUp = giveUp
            }
        }

        /// Whether a heartbeat has fallen due since the last time.
        func takeHeartbeat() -> Bool {
            state.withLock { state in
                defer { state.isDue = false }
                return state.isDue
            }
        }

        /// Begins writing: what is done until ``endWriting()`` may have to wait for the client.
        func beginWriting() { state.withLock { $0.isWriting = true } }

        /// A heartbeat that fell due meanwhile is due now: a client that keeps the stream busy is asked who it is all the same.
        func endWriting() {
            state.withLock { state in
                state.isWriting = false
                state.isDue = state.isDue || state.missed > 0
                state.missed = 0
            }
        }

        fileprivate func beat() {
            let wake = state.withLock { state -> (@Sendable () -> Void)? in
                guard state.isWriting else {
                    state.isDue = true
                    return state.wake
                }
                state.missed += 1
                return state.missed >= EventStreams.patience ? state.giveUp : nil
            }
            wake?()
        }
    }

    private struct Member {
        weak var place: Place?
    }

    private struct State {
        var members: [ObjectIdentifier: Member] = [:]
        var ofTenant: [Name: Int] = [:]
    }

    private let limit: Int
    private let limitPerTenant: Int
    private let state = Mutex(State())

    init(limit: Int, limitPerTenant: Int) {
        self.limit = limit
        self.limitPerTenant = limitPerTenant
    }

    var count: Int { state.withLock { $0.members.count } }

    /// - Throws: ``Problem``: 429 if the tenant has as many as it may, 503 if this process has.
    func open(of tenant: Name) throws -> Place {
        let place = Place(self, tenant)
        try state.withLock { state in
            guard state.ofTenant[tenant, default: 0] < limitPerTenant else {
                throw Problem(
                    .tooManyRequests, "tooManyWatches",
                    "the tenant has \(limitPerTenant) event streams, which is as many as it may have at a time",
                    headers: [.retryAfter: "10"])
            }
            guard state.members.count < limit else {
                throw Problem(
                    .serviceUnavailable, "tooManyWatches", "the server has as many event streams as it can serve",
                    headers: [.retryAfter: "10"])
            }
            state.ofTenant[tenant, default: 0] += 1
            state.members[ObjectIdentifier(place)] = Member(place: place)
        }
        return place
    }

    private func giveBack(_ place: ObjectIdentifier, of tenant: Name) {
        state.withLock { state in
            // A place that was refused never was one.
            guard state.members.removeValue(forKey: place) != nil else { return }
            let rest = (state.ofTenant[tenant] ?? 1) - 1
            state.ofTenant[tenant] = rest > 0 ? rest : nil
        }
    }

    /// Makes heartbeats fall due until the task is cancelled.
    func run(every interval: Duration, clock: any Clock<Duration>) async throws {
        while true {
            try await clock.sleep(for: interval)
            // Not under the lock, which a place takes when it goes.
            let places = state.withLock { $0.members.values.map { $0 } }
            for member in places { member.place?.beat() }
        }
    }

    private static let open = Metric.gauge("sluice_http_event_streams", "Event streams that are open.")

    /// Has `/metrics` tell how many there are.
    func measure(in factory: PrometheusFactory) {
        let open = Self.open.makeMeter(in: factory)
        factory.onScrape { [weak self] in open.set(self?.count ?? 0) }
    }
}
