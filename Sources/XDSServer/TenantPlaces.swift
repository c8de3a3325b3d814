internal import GRPCServer
internal import Synchronization

/// What the clients of one tenant may have of a server.
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
        /// Streams by group.
        var groups: [String: Int] = [:]
        /// Groups that nobody is in any more, and until when they count.
        var left: [String: ContinuousClock.Instant] = [:]

        /// - Returns: whether the group may have another stream.
        mutating func hasRoom(for group: String, of bound: Int, _ now: ContinuousClock.Instant) -> Bool {
            if groups[group] != nil || left[group] != nil || groups.count + left.count < bound { return true }
            left = left.filter { $0.value > now }
            return groups.count + left.count < bound
        }
    }

    private let limits: TenantLimits
    private let tenants = Mutex<[String: Tenant]>([:])
    private let now: @Sendable () -> ContinuousClock.Instant

    private static let grace = Duration.seconds(SnapshotStore.patience)

    /// - Parameter now: for tests.
    package init(
        _ limits: TenantLimits, now: @escaping @Sendable () -> ContinuousClock.Instant = { ContinuousClock.now }
    ) {
        self.limits = limits
        self.now = now
    }

    /// Streams of all tenants.
    package var count: Int { tenants.withLock { $0.values.reduce(0) { $0 + $1.streams } } }

    /// Gives a stream a place, which it gives back (``giveBack(_:)``).
    ///
    /// - Throws: the status that the stream is ended with, if its tenant has all that it may.
    func take(_ admission: Admission) throws(GRPCStatus) {
        let excess = tenants.withLock { tenants -> String? in
            var tenant = tenants[admission.tenant] ?? Tenant()
            guard tenant.streams < limits.streams.most else {
                return "the tenant has as many streams on this server as it may; allowed are \(limits.streams.rule)"
            }
            guard tenant.hasRoom(for: admission.group, of: limits.groups.most, now()) else {
                return "the tenant's proxies on this server have as many different views as they may; "
                    + "allowed are \(limits.groups.rule)"
            }
            tenant.streams += 1
            tenant.groups[admission.group, default: 0] += 1
            tenant.left[admission.group] = nil
            tenants[admission.tenant] = tenant
            return nil
        }
        if let excess { throw GRPCStatus(.resourceExhausted, excess) }
    }

    func giveBack(_ admission: Admission) {
        tenants.withLock { tenants in
            guard var tenant = tenants.removeValue(forKey: admission.tenant) else { return }
            tenant.streams -= 1
            let rest = (tenant.groups[admission.group] ?? 1) - 1
            tenant.groups[admission.group] = rest > 0 ? rest : nil
            if rest == 0 { tenant.left[admission.group] = now() + Self.grace }
            tenants[admission.tenant] = tenant
        }
    }
}
