package import MeshCore

/// A freeze window in force: nothing of what it blocks begins before it is over.
package struct Freeze: Hashable, Sendable {
    /// A thing that a window keeps from happening.
    package enum Blocked: String, CaseIterable, Sendable {
        /// A release that was started begins to move traffic.
        case start
        /// A step ends and the next one begins, or a share grows.
        case advance
        /// The canary becomes the service's stable version.
        case promote
    }

    /// The window's own, with the namespace that it stands in.
    package var name: NamespacedName
    /// When it is over. `nil`: when somebody ends it.
    package var until: Timestamp?
    package var blocks: Set<Blocked>

    package init(name: NamespacedName, until: Timestamp? = nil, blocks: Set<Blocked> = Set(Blocked.allCases)) {
        self.name = name
        self.until = until
        self.blocks = blocks
    }
}

/// The world as the engine is told of it before it decides. Read outside of the transaction that commits the
/// decision.
package struct ReleaseObservations: Hashable, Sendable {
    /// A proxy that refused configuration and still does.
    package struct Rejection: Hashable, Sendable {
        package var proxy: String
        /// The mesh's revision that the refused configuration was of.
        package var revision: Revision
        /// The proxy's own words.
        package var message: String
        /// The refusals, traced to objects as far as that is known.
        package var details: [ProxyRejection]

        package init(proxy: String, revision: Revision, message: String, details: [ProxyRejection] = []) {
            self.proxy = proxy
            self.revision = revision
            self.message = message
            self.details = details
        }

        /// For people.
        package var description: String {
            var places: [String] = []
            for place in details.compactMap(\.place) where !places.contains(place) { places.append(place) }
            let what = places.isEmpty ? "" : " because of \(places.prefix(3).joined(separator: ", "))"
            return "\(proxy) rejected revision \(revision)\(what): \(message)"
        }
    }

    /// The routes that the rules of the mesh leave to the release, by their documents as they are now.
    package struct Rules: Hashable, Sendable {
        /// Whether there is any route whose shares the release moves.
        package var areSplit: Bool
        /// Routes that the release does not split and that move to the canary at once when it is promoted. For people.
        package var unsplit: [String]
        /// Rules that the release is to split in its current step and leaves as they are, as it would make too many copies, each
        /// with the limit. For people.
        package var leftOut: [String]
        /// Rules that the release splits and that give the canary requests by hand. For people.
        package var handWeighted: [String]

        package init(
            areSplit: Bool = true, unsplit: [String] = [], leftOut: [String] = [], handWeighted: [String] = []
        ) {
            self.areSplit = areSplit
            self.unsplit = unsplit
            self.leftOut = leftOut
            self.handWeighted = handWeighted
        }
    }

    /// Proxies that have no stream, and still count because they may be sending by older routes.
    package struct Away: Hashable, Sendable {
        package enum Cause: String, CaseIterable, Sendable {
            /// Their streams ended, and the replica that they were at lives: they come back at once, if they do.
            case streamEnded
            /// The replica that they were at has ended, was lost or has lost the database.
            case serverLost
            /// The time that this might have taken has passed, but a ready endpoint still names them.
            case stillRegistered
        }

        package var cause: Cause
        package var count: Int
        /// Since when the first of them is.
        package var since: Timestamp
        /// When the last of them has had the time to come back. `nil`: that time has not begun, or is over.
        package var until: Timestamp?

        package init(_ cause: Cause, count: Int, since: Timestamp, until: Timestamp? = nil) {
            self.cause = cause
            self.count = count
            self.since = since
            self.until = until
        }
    }

    /// The proxies that can still be sending by routes from before ``ReleaseStatus/Traffic/configRevision``.
    package struct Proxies: Hashable, Sendable {
        /// Clients of any namespace that are sent the release's routes, were so before that revision, and are connected, or
        /// away and not gone.
        package var relevant = 0
        /// How many of those have acknowledged what holds the release's routes, clusters and endpoints at that
        /// revision or a later one.
        package var acked = 0
        /// The proxies of those that have not that are away.
        package var away: [Away] = []
        /// Some of those that have not, by name, sorted; at most 20.
        package var missing: [String] = []
        /// Whether the mesh ever had a proxy.
        package var hadAny = false
        /// Since when a replica has been there without a gap, with its heartbeat and the database. `nil`: none is.
        package var servedSince: Timestamp?

        package init() {}
    }

    /// How long a proxy may take to find another server when its own was lost: Envoy waits up to 30 s between attempts.
    package static let proxyGrace = Duration.seconds(60)

    /// The things that the release is about and that are no longer there.
    package enum Target: String, CaseIterable, Sendable {
        case service, port, stable, canary
    }

    /// Healthy endpoints of each version in enabled clusters.
    package var readyStable: Int
    package var readyCanary: Int
    /// Healthy endpoints of the service in enabled clusters, of whatever version, or of none.
    package var readyTotal: Int
    package var proxies = Proxies()
    /// Refusals of what holds the release's routes, clusters and endpoints, by proxies that count, at
    /// ``ReleaseStatus/Traffic/configRevision`` or later.
    package var rejections: [Rejection]
    /// The mesh's revision that these observations are of.
    package var meshRevision: Revision
    /// `status.stableVersion` of the service.
    package var stableVersion: Name?
    /// `status.promotions` of the service.
    package var promotions: [ServiceStatus.Promotion]
    package var rules: Rules
    package var missing: Set<Target>
    /// Runs of analyses that the status names, by their identifiers, as far as they have begun.
    package var analyses: [String: AnalysisObservation] = [:]
    /// Windows that are in force for the release's service, those without an end first, then by their ends.
    package var freezes: [Freeze] = []
    /// The release of the service that has to be rolled back before this one begins.
    package var superseding: Name?
    /// When the engine had meant to look at the release, and when it last did. Tells downtime from waiting.
    package var plannedWakeupAt: Timestamp?
    package var lastDrivenAt: Timestamp?

    package init(
        readyStable: Int, readyCanary: Int, readyTotal: Int? = nil, rejections: [Rejection] = [],
        meshRevision: Revision, stableVersion: Name? = nil, promotions: [ServiceStatus.Promotion] = [],
        rules: Rules = Rules(), missing: Set<Target> = [],
        plannedWakeupAt: Timestamp? = nil, lastDrivenAt: Timestamp? = nil
    ) {
        self.readyStable = readyStable
        self.readyCanary = readyCanary
        self.readyTotal = readyTotal ?? readyStable + readyCanary
        self.rejections = rejections
        self.meshRevision = meshRevision
        self.stableVersion = stableVersion
        self.promotions = promotions
        self.rules = rules
        self.missing = missing
        self.plannedWakeupAt = plannedWakeupAt
        self.lastDrivenAt = lastDrivenAt
    }
}
