internal import MeshCompiler
package import MeshModel
internal import MeshStore

/// What a decision about a release is made on, and when that was so by the database's clock.
package struct ReleaseWorld: Sendable {
    package var observations: ReleaseObservations
    /// The mesh that the observations are of.
    package var state: MeshState
    package var now: Timestamp
}

extension ControlPlane {
    /// Reads the world around a release: endpoints of both versions from the mirror of the mesh, acknowledgements and the
    /// time from the database. Outside of any transaction.
    package func observe(_ release: StoredRelease) async throws -> ReleaseWorld {
        try await translatingErrors {
            guard let newest = try await store.meshRevision(release.mesh) else { throw StoreError.notFound }
            let state = try await mirror.state(of: release.mesh, atLeast: newest)
            let acks = try await store.acks(
                of: release.mesh, at: release.status.traffic.configRevision, of: state.footprint(of: release.service))
            var observations = state.observations(of: release)
            observations.proxies = acks.proxies
            observations.rejections = acks.rejections.map {
                ReleaseObservations.Rejection(
                    proxy: $0.proxy, revision: $0.revision, message: $0.message, details: $0.details)
            }
            return ReleaseWorld(observations: observations, state: state, now: acks.now)
        }
    }
}

extension MeshState {
    /// The services whose own routes may send requests to one that is released.
    func footprint(of service: NamespacedName) -> ReleaseFootprint {
        var routes: Set<NamespacedName> = [service]
        for (name, rules) in virtualServices where rules.spec.destinations(from: name.namespace).contains(service) {
            routes.formUnion(rules.spec.hosts.compactMap { HostName.service($0, from: name.namespace) })
        }
        return ReleaseFootprint(service: service, routes: routes)
    }

    /// The versions of a service's healthy endpoints in enabled clusters, one for each endpoint.
    func readyVersions(of service: NamespacedName) -> [Name?] {
        (endpoints[service] ?? [:]).values.filter {
            $0.health == .healthy && enabledClusters.contains($0.cluster)
        }.map(\.version)
    }

    /// What the mesh itself tells about a release; nothing about proxies.
    func observations(of release: StoredRelease) -> ReleaseObservations {
        let (stable, canary) = (release.spec.stable.version, release.spec.canary.version)
        let service = services[release.service]
        let ready = readyVersions(of: release.service)
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
            readyTotal: ready.count, meshRevision: revision,
            stableVersion: service?.status.stableVersion, promotions: service?.status.promotions ?? [],
            rules: ReleaseObservations.Rules(release.effects(in: self)), missing: missing,
            plannedWakeupAt: release.plannedWakeupAt, lastDrivenAt: release.lastDrivenAt)
    }
}
