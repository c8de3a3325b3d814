package import Documents
internal import GrayRelease
internal import MeshCompiler
package import MeshCore
package import MeshIdentity
package import MeshModel
internal import MeshStore

extension ControlPlane {
    /// Tells what a release would do to the rules that there are, step by step, and to the routes of a proxy, without doing
    /// anything.
    ///
    /// - Parameters:
    ///   - body: `{"spec", "proxy"}`: the release as it might be, or left out as it is stored; the proxy as `name` or
    ///     `namespace/name`, or left out the first that is sent its routes.
    ///   - source: compiles the proxy's routes.
    /// - Returns: `{"revision", "unchangedWhile", "rules", "steps", "promotion", "stableVersion", "refusals", "warnings", "proxy"}`.
    package func preview(
        _ key: ObjectKey, _ body: JSONValue, by caller: Caller, routesFrom source: @escaping RouteDifferenceSource
    ) async throws -> JSONValue {
        let object = try await fetch(key, by: caller)
        guard let mesh = key.meshKey, let name = key.namespacedName else { throw ControlError.notFound(key.described) }
        let log = ViolationLog()
        var fields = FieldReader(body, at: .root, log: log)
        let document = fields.value("spec") ?? object.spec
        let proxy = fields.read("proxy", .string(atMost: 127))
        fields.finish()
        let spec = ReleaseSpec.read(document, at: JSONPointer.spec, log: log)
        let wanted = proxy.flatMap { Self.proxyName($0, log) }
        guard log.violationsAndUnknownFields.isEmpty, let spec else {
            throw ControlError.invalid(log.violationsAndUnknownFields)
        }
        let service = NamespacedName(namespace: name.namespace, name: spec.service)
        // Before the state, so that it is never the word of a later one.
        let basis = try await translatingErrors { try await store.previewBasis(of: service, in: mesh) }
        let state = try await currentState(of: mesh)
        let serviceKey = ObjectKey.namespaced(.service, service, in: mesh)
        let rivals = try await translatingErrors { try await store.activeReleases(of: serviceKey) }.filter { $0 != key }
        guard let target = state.services[service] else {
            throw ControlError.conflict(.init("targetMissing", "there is no service \(spec.service)"))
        }
        let rules = indexes.index(of: state)
        let status = ReleaseStatus(object.status)
        // Who edits the steps, or starts the release, is who asks.
        let isAsDecided = status.phase.isActive && document == object.spec
        let mayPromote = isAsDecided ? status.people.mayPromote != false : ReleaseActor(caller).mayPromote
        let row = try await self.proxy(wanted, for: service, rules, in: mesh, by: caller)
        let preview = ReleasePreview(
            spec: spec, status: status, name: name, rules: rules, rival: rivals.first?.name, basis: basis,
            mayPromote: mayPromote, proxy: row.map { ($0, source) }, namespaces: caller.namespaces)
        return try await atDesk(for: mesh.tenant) { preview.json(target, isCancelled: $0) }
    }

    private static func proxyName(_ text: String, _ log: ViolationLog) -> (namespace: Name?, name: Name)? {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false).map { Name(String($0)) }
        if parts.count == 1, let name = parts[0] { return (nil, name) }
        if parts.count == 2, let namespace = parts[0], let name = parts[1] { return (namespace, name) }
        log.report(
            JSONPointer(["proxy"]), .invalidFormat,
            "must be the name of a proxy, perhaps behind its namespace and a slash")
        return nil
    }

    /// The proxy whose routes are shown.
    ///
    /// - Parameter wanted: `nil`: the first that is sent the release's routes and that the caller may know of.
    /// - Returns: `nil` if there is none.
    /// - Throws: ``ControlError/notFound(_:)`` if there is not the one that is wanted.
    private func proxy(
        _ wanted: (namespace: Name?, name: Name)?, for service: NamespacedName, _ rules: RuleIndex, in mesh: MeshKey,
        by caller: Caller
    ) async throws -> ProxyRow? {
        if let wanted {
            let namespace = wanted.namespace ?? (caller.namespaces.count == 1 ? caller.namespaces.first : nil)
            let row = try await proxy(wanted.name, of: mesh, namespace: namespace, by: caller)
            guard row.client != nil else {
                throw ControlError.invalid([
                    Violation(
                        JSONPointer(["proxy"]), .invalidValue, "nobody knows yet what the proxy \(wanted.name) is sent")
                ])
            }
            return row
        }
        let scope = ObjectScope(mesh, namespace: caller.namespaces.sorted().first)
        try authorise(caller, .readProxies, in: scope)
        let footprint = ReleaseFootprint(
            service: service, routes: Set(rules.hosts(sendingTo: .service(service)).compactMap(\.service)))
        return try await translatingErrors {
            try await store.firstProxy(sent: footprint, in: mesh, namespaces: caller.namespaces)
        }
    }

    /// The effects of a release on the rules of the mesh now, as the preview has them under `rules`.
    ///
    /// - Returns: empty for one that has ended.
    package func routes(of release: StoredObject) async throws -> [String: JSONValue] {
        let status = ReleaseStatus(release.status)
        guard let mesh = release.key.meshKey, let name = release.key.namespacedName, !status.phase.isTerminal,
            let spec: ReleaseSpec = release.decodedSpec()
        else { return [:] }
        let state = try await currentState(of: mesh)
        return spec.effects(in: indexes.index(of: state), as: name, at: status).members
    }
}
