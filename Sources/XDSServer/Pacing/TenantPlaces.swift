internal import GRPCServer
internal import NIOCore
internal import Synchronization

/// Bounds on what the clients of one tenant may take of a server.
package struct TenantLimits: Sendable {
    /// A number that is not to be exceeded, and how a message says so.
    package struct Bound: Sendable {
        package var most: Int
        /// For example `at most 100 streams`.
        package var rule: String

        package init(_ most: Int, _ rule: String) {
            self.most = most
            self.rule = rule
        }
    }

    package var streams: Bound
    /// Different ``Admission/group``s, with those that nobody is in any more but that are still there
    /// (``SnapshotStore/patience``).
    package var groups: Bound

    package init(streams: Bound, groups: Bound) {
        self.streams = streams
        self.groups = groups
    }

    /// Bounds nobody.
    package static let none = TenantLimits(streams: Bound(.max, ""), groups: Bound(.max, ""))
}

/// The streams of all tenants on a server, as far as they were admitted.
package final class TenantPlaces: Sendable {
    private struct Tenant {
        var streams = 0
        /// Streams by group; groups with none are those that were left a moment ago.
        var groups: [String: Int] = [:]
    }

    /// A group that nobody was in any more at some time.
    private struct Left {
        var tenant: String
        var group: String
        var until: ContinuousClock.Instant
    }

    private struct State {
        var tenants: [String: Tenant] = [:]
        /// The oldest first.
        var left = CircularBuffer<Left>()

        /// Forgets groups that nobody has come back to.
        mutating func forget(_ now: ContinuousClock.Instant) {
            while let first = left.first, first.until <= now {
                left.removeFirst()
                guard tenants[first.tenant]?.groups[first.group] == 0 else { continue }
                tenants[first.tenant]?.groups[first.group] = nil
                if tenants[first.tenant]?.groups.isEmpty == true { tenants[first.tenant] = nil }
            }
        }
    }

    private let limits: TenantLimits
    private let state = Mutex(State())
    private let now: @Sendable () -> ContinuousClock.Instant

    /// How long a group counts that nobody is in any more: as long as the store keeps its views.
    private static let grace = Duration.seconds(SnapshotStore.patience)

    /// - Parameter now: for tests.
    package init(
        _ limits: TenantLimits, now: @escaping @Sendable () -> ContinuousClock.Instant = { ContinuousClock.now }
    ) {
        self.limits = limits
        self.now = now
    }

    /// Streams of all tenants.
    package var count: Int { state.withLock { $0.tenants.values.reduce(0) { $0 + $1.streams } } }

    /// Tenants of which something is known.
    var tenantCount: Int { state.withLock { $0.tenants.count } }

    /// Gives a stream a place, which it gives back (``giveBack(_:)``).
    ///
    /// - Throws: the status that the stream is ended with, if its tenant has all that it may.
    func take(_ admission: Admission) throws(GRPCStatus) {
        let excess = state.withLock { state -> String? in
            state.forget(now())
            let tenant = state.tenants[admission.tenant] ?? Tenant()
            guard tenant.streams < limits.streams.most else {
                return "the tenant has as many streams on this server as it may; allowed are \(limits.streams.rule)"
            }
            guard tenant.groups[admission.group] != nil || tenant.groups.count < limits.groups.most else {
                return "the tenant's proxies on this server have as many different views as they may; "
                    + "allowed are \(limits.groups.rule)"
            }
            state.tenants[admission.tenant, default: Tenant()].streams += 1
            state.tenants[admission.tenant]?.groups[admission.group, default: 0] += 1
            return nil
        }
        if let excess { throw GRPCStatus(.resourceExhausted, excess) }
    }

    func giveBack(_ admission: Admission) {
        state.withLock { state in
            guard let count = state.tenants[admission.tenant]?.groups[admission.group], count > 0 else { return }
            state.tenants[admission.tenant]?.streams -= 1
            state.tenants[admission.tenant]?.groups[admission.group] = count - 1
            guard count == 1 else { return }
            state.left.append(Left(tenant: admission.tenant, group: admission.group, until: now() + Self.grace))
        }
    }
}
