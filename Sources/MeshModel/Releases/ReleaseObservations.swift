/// What the engine is told about the world before it decides. Read outside of the transaction that commits the
/// decision.
package struct ReleaseObservations: Hashable, Sendable {
    /// A proxy that refused configuration and still does.
    package struct Rejection: Hashable, Sendable {
        package var proxy: String
        /// The mesh's revision that the refused configuration was of.
        package var revision: Revision
        /// The proxy's own words.
        package var message: String
        /// What is refused, traced to objects as far as that is known.
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

    /// What the rules of the mesh leave to the release, by their documents as they are now.
    package struct Rules: Hashable, Sendable {
        /// Whether there is any route whose shares the release moves.
        package var areSplit: Bool
        /// Routes that the release does not split and that move to the canary at once when it is promoted. For people.
        package var unsplit: [String]
        /// Rules that the release splits and that give the canary requests by hand. For people.
        package var handWeighted: [String]

        package init(areSplit: Bool = true, unsplit: [String] = [], handWeighted: [String] = []) {
            self.areSplit = areSplit
            self.unsplit = unsplit
            self.handWeighted = handWeighted
        }
    }

    /// What the release is about and is no longer there.
    package enum Target: String, CaseIterable, Sendable {
        case service, port, stable, canary
    }

    /// Healthy endpoints of each version in enabled clusters.
    package var readyStable: Int
    package var readyCanary: Int
    /// Healthy endpoints of the service in enabled clusters, of whatever version, or of none.
    package var readyTotal: Int
    /// Connected proxies of the mesh.
    package var connectedProxies: Int
    /// Of those, the ones that have acknowledged everything of ``ReleaseStatus/Traffic/clustersRevision`` or later.
    /// 0 if there is no such revision yet.
    package var ackedClusters: Int
    /// Of those, the ones that have acknowledged everything of ``ReleaseStatus/Traffic/configRevision`` or later. 0 if
    /// there is no such revision yet.
    package var ackedRoutes: Int
    package var rejections: [Rejection]
    /// The mesh's revision that these observations are of.
    package var meshRevision: Revision
    /// `status.stableVersion` of the service.
    package var stableVersion: Name?
    /// `status.promotions` of the service.
    package var promotions: [ServiceStatus.Promotion]
    package var rules: Rules
    package var missing: Set<Target>
    /// When the engine had meant to look at the release, and when it last did. Tells downtime from waiting.
    package var plannedWakeupAt: Timestamp?
    package var lastDrivenAt: Timestamp?

    package init(
        readyStable: Int, readyCanary: Int, readyTotal: Int? = nil, connectedProxies: Int = 0, ackedClusters: Int = 0,
        ackedRoutes: Int = 0,
        rejections: [Rejection] = [], meshRevision: Revision, stableVersion: Name? = nil,
        promotions: [ServiceStatus.Promotion] = [], rules: Rules = Rules(), missing: Set<Target> = [],
        plannedWakeupAt: Timestamp? = nil, lastDrivenAt: Timestamp? = nil
    ) {
        self.readyStable = readyStable
        self.readyCanary = readyCanary
        self.readyTotal = readyTotal ?? readyStable + readyCanary
        self.connectedProxies = connectedProxies
        self.ackedClusters = ackedClusters
        self.ackedRoutes = ackedRoutes
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
