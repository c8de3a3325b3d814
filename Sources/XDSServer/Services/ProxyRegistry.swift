internal import Synchronization

/// The state of a client in one resource type.
package struct TypeReport: Hashable, Sendable {
    package enum State: String, Sendable {
        /// Has acknowledged all there is.
        case synced
        /// Something is on its way or waits.
        case stale
        /// Has refused what was sent last.
        case rejected
    }

    package var type: ResourceType
    package var state: State
    /// The version of the last response; empty: none was sent.
    package var sentVersion: String
    /// The version of the last response that was acknowledged.
    package var ackedVersion: String
    /// The client's words when it refused; `nil` while it does not.
    package var error: String?
    /// The version of the response that it refused.
    package var refusedVersion: String?
    /// The names of what it refused, as far as it named them; at most 20.
    package var refused: [String] = []
    /// The names of all that it lacks because it refused it, whether it named it or not; sorted. `nil`: too many to be told.
    package var lacking: [String]? = []

    /// How many names of ``lacking`` are told.
    static let maxLacking = 20
}

/// The state of a client that is, or just was, connected.
package struct ProxyReport: Hashable, Sendable {
    package var proxy: String
    package var view: ViewID
    /// The owner of the snapshots that the client is served (``Snapshot/owner``).
    package var owner: String?
    package var isConnected: Bool
    /// Everything of this snapshot revision that the client wants is acknowledged; 0: nothing yet.
    package var ackedRevision: Int64
    package var rejectedRevision: Int64?
    package var rejectedMessage: String?
    /// The types that the client wants.
    package var types: [TypeReport]
    /// Everything of this snapshot revision that the client wants was sent, and accepted or refused; 0: nothing yet.
    package var answeredRevision: Int64 = 0
    /// The revision of the first snapshot that the client was sent; 0: none was yet.
    package var firstRevision: Int64 = 0
    /// The route configurations that it wants by name, sorted. `nil`: all, or too many to be told.
    package var routes: [String]? = []
    /// The address that its stream comes from; empty: unknown.
    package var peer = ""

    /// How many names of ``routes`` are told.
    static let maxRoutes = 64
}

/// The truth about the clients of this server: who is connected, and what each has acknowledged or refused.
///
/// Streams write, one consumer reads in batches: ``changes`` says that there is something, ``drain()`` takes it. However
/// often a client changes between two drains, it is reported once.
package final class ProxyRegistry: Sendable {
    private struct State {
        var entries: [String: ProxyStreams] = [:]
        var dirty: Set<String> = []
    }

    private let state = Mutex(State())
    package let changes: AsyncStream<Void>
    private let continuation: AsyncStream<Void>.Continuation

    package init() {
        (changes, continuation) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
    }

    /// All clients that are connected.
    package var connected: [ProxyReport] {
        state.withLock { $0.entries.values.compactMap(\.report).filter(\.isConnected) }
    }

    package var connectedCount: Int { state.withLock { $0.entries.values.count { $0.report?.isConnected == true } } }

    /// Takes the clients that changed since the last call. Those that have gone are forgotten with it.
    package func takeChanged() -> [ProxyReport] {
        state.withLock { state in
            let reports = state.dirty.compactMap { state.entries[$0]?.report }
            state.dirty = []
            for report in reports where !report.isConnected { state.entries[report.proxy] = nil }
            return reports
        }
    }

    /// Gives back what was drained and could not be passed on. Clients that changed meanwhile keep their newer report; that one
    /// was connected is not said again once it has gone.
    package func restore(_ reports: [ProxyReport]) {
        state.withLock { state in
            for report in reports {
                if state.entries[report.proxy] == nil {
                    if report.isConnected { continue }
                    state.entries[report.proxy] = ProxyStreams(report)
                }
                state.dirty.insert(report.proxy)
            }
        }
        continuation.yield()
    }

    /// - Parameters:
    ///   - stream: of two numbers the greater is the newer stream's.
    ///   - isAggregated: whether the stream has all of the client's types.
    /// - Returns: whether the client has streams from other addresses too.
    @discardableResult
    func update(_ report: ProxyReport, stream: UInt64, isAggregated: Bool = true) -> Bool {
        let isChange = state.withLock { state in
            guard state.entries[report.proxy, default: ProxyStreams()].take(report, of: stream, isAggregated) else {
                return false
            }
            state.dirty.insert(report.proxy)
            return true
        }
        if isChange { continuation.yield() }
        return state.withLock { $0.entries[report.proxy]?.isContested ?? false }
    }
}
