package import GrayRelease
package import MeshCompiler
package import MeshCore
internal import MeshFeed
internal import MeshModel
internal import MeshStore

/// The observations that a decision about a release is made on, and their time by the database's clock.
package struct ReleaseWorld: Sendable {
    package var observations: ReleaseObservations
    /// The rules of the mesh as of the observations, indexed; its state with them.
    package var rules: RuleIndex
    package var now: Timestamp
}

extension ControlPlane {
    /// Reads the world around a release: endpoints of both versions from the mirror of the mesh, acknowledgements and the
    /// time from the database. Outside of any transaction.
    package func observe(_ release: StoredRelease) async throws -> ReleaseWorld {
        try await translatingErrors {
            guard let newest = try await store.meshRevision(release.mesh) else { throw StoreError.notFound }
            let rules = indexes.index(of: try await mirror.state(of: release.mesh, atLeast: newest))
            let acks = try await store.acks(
                of: release.mesh, at: release.status.traffic.configRevision,
                of: rules.footprint(of: release.service))
            var observations = rules.observations(of: release)
            observations.proxies = acks.proxies
            observations.freezes = acks.freezes
            // One that is about to start waits for others as one that has.
            if release.status.phase == .pending || !release.status.phase.isActive {
                observations.superseding = try await store.activeReleases(of: release.serviceKey).first {
                    $0 != release.key
                }?.name
            }
            observations.analyses = try await store.analysisRuns(of: release.object, ids: release.status.analysis.ids)
                .mapValues(AnalysisObservation.init)
            observations.rejections = acks.rejections.map {
                ReleaseObservations.Rejection(
                    proxy: $0.proxy, revision: $0.revision, message: $0.message, details: $0.details)
            }
            return ReleaseWorld(observations: observations, rules: rules, now: acks.now)
        }
    }
}

extension MeshState {
    /// The versions of a service's healthy endpoints in enabled clusters, one for each endpoint.
    func readyVersions(of service: NamespacedName) -> [Name?] {
        (endpoints[service] ?? [:]).values.map(\.spec).filter {
            $0.health == .healthy && enabledClusters.contains($0.cluster)
        }.map(\.version)
    }
}

extension RuleIndex {
    /// The observations about a release that the mesh itself gives; none about proxies.
    func observations(of release: StoredRelease) -> ReleaseObservations {
        let (stable, canary) = (release.spec.stable.version, release.spec.canary.version)
        let service = state.services[release.service]
        let ready = state.readyVersions(of: release.service)
        var missing: Set<ReleaseObservations.Target> = []
        if let service {
            if release.spec.ports(in: service.spec).isEmpty { missing.insert(.port) }
            if !service.spec.hasVersion(stable) { missing.insert(.stable) }
            if !service.spec.hasVersion(canary) { missing.insert(.canary) }
        } else {
            missing = [.service]
        }
        return ReleaseObservations(
            readyStable: ready.count { $0 == stable }, readyCanary: ready.count { $0 == canary },
            readyTotal: ready.count, meshRevision: state.revision,
            stableVersion: service?.status.stableVersion, promotions: service?.status.promotions ?? [],
            rules: ReleaseObservations.Rules(release.effects(in: self)), missing: missing,
            plannedWakeupAt: release.plannedWakeupAt, lastDrivenAt: release.lastDrivenAt)
    }
}
