package import Documents
internal import GrayRelease
internal import MeshCompiler
internal import MeshCore
package import MeshModel
internal import MeshStore

/// The state of a release at this moment, beside what is stored: for whoever reads one release.
package struct ReleasePage: Hashable, Sendable {
    /// The effects on the rules that there are: `status.routes`. Empty for one that has ended.
    package var routes: [String: JSONValue] = [:]
    /// The shares that sidecars have counted: `status.traffic.observed`.
    package var observed: JSONValue?
    /// Some of the proxies that have not acknowledged the traffic, by name: `status.traffic.applied.missing`.
    package var missing: [String] = []
    /// Each verb that the state has, with the permission that it takes and the roles that have it: `status.actions`.
    package var actions: [JSONValue] = []
}

extension ControlPlane {
    /// - Returns: `nil` for an object that is no release, or cannot be read.
    package func page(of object: StoredObject) async throws -> ReleasePage? {
        guard object.key.kind == .release else { return nil }
        let status = ReleaseStatus(object.status)
        var page = ReleasePage()
        page.routes = try await routes(of: object)
        page.observed = try await observedTraffic(of: object)
        page.missing = try await missing(of: object, status)
        page.actions = ReleaseMachine.allowedVerbs(status).map { verb in
            let permission = verb.permission
            return [
                "action": .string(verb.rawValue), "permission": .string(permission.name),
                "roles": .array(permission.roles.map(\.rawValue).sorted().map(JSONValue.string)),
            ]
        }
        return page
    }

    private func missing(of object: StoredObject, _ status: ReleaseStatus) async throws -> [String] {
        // Where all have acknowledged as of the engine's last look there is nobody to ask for.
        guard status.phase.isActive, status.traffic.ackedProxies < status.traffic.totalProxies,
            let revision = status.traffic.configRevision,
            let mesh = object.key.meshKey, let name = object.key.namespacedName,
            let spec: ReleaseSpec = object.decodedSpec()
        else { return [] }
        let service = NamespacedName(namespace: name.namespace, name: spec.service)
        let rules = indexes.index(of: try await currentState(of: mesh))
        return try await translatingErrors {
            try await store.acks(of: mesh, at: revision, of: rules.footprint(of: service)).proxies.missing
        }
    }
}

extension RuleIndex {
    /// The part of the configuration that proxies are sent because of a release of a service.
    func footprint(of service: NamespacedName) -> ReleaseFootprint {
        ReleaseFootprint(
            service: service, routes: Set(hosts(sendingTo: .service(service)).compactMap(\.service)))
    }
}
