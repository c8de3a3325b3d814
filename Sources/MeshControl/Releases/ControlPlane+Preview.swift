package import Documents
internal import GrayRelease
internal import MeshCompiler
package import MeshCore
package import MeshIdentity
package import MeshModel
internal import MeshStore

extension ControlPlane {
    /// Tells what a release would do to the rules that there are, without doing anything.
    ///
    /// - Parameter body: `{"spec"}`: of the release as it might be; left out, as it is stored.
    /// - Returns: `{"revision", "rules", "promotion", "stableVersion", "refusals"}`.
    package func preview(_ key: ObjectKey, _ body: JSONValue, by caller: Caller) async throws -> JSONValue {
        let object = try await fetch(key, by: caller)
        guard let mesh = key.meshKey, let name = key.namespacedName else { throw ControlError.notFound(key.described) }
        let log = ViolationLog()
        var fields = FieldReader(body, at: .root, log: log)
        let document = fields.value("spec") ?? object.spec
        fields.finish()
        let spec = ReleaseSpec.read(document, at: JSONPointer.spec, log: log)
        guard log.violationsAndUnknownFields.isEmpty, let spec else {
            throw ControlError.invalid(log.violationsAndUnknownFields)
        }
        let state = try await currentState(of: mesh)
        let service = ObjectKey.namespaced(
            .service, NamespacedName(namespace: name.namespace, name: spec.service), in: mesh)
        let rivals = try await translatingErrors { try await store.activeReleases(of: service) }.filter { $0 != key }
        let preview = ReleasePreview(
            spec: spec, status: ReleaseStatus(object.status), name: name, rules: indexes.index(of: state),
            rival: rivals.first?.name)
        guard let service = state.services[preview.service] else {
            throw ControlError.conflict(.init("targetMissing", "there is no service \(spec.service)"))
        }
        return try await atDesk(for: mesh.tenant) { _ in preview.json(service) }
    }

    /// The effects of a release on the rules of the mesh now, as ``preview(_:_:by:)`` has them under `rules`.
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

/// A release that is looked at before it does anything.
private struct ReleasePreview: Sendable {
    let spec: ReleaseSpec
    let status: ReleaseStatus
    let name: NamespacedName
    let rules: RuleIndex
    /// Another release of the service that is active.
    let rival: Name?

    private var state: MeshState { rules.state }

    var service: NamespacedName { NamespacedName(namespace: name.namespace, name: spec.service) }

    func json(_ service: MeshState.Service) -> JSONValue {
        let effects = spec.effects(in: rules, as: name, at: status)
        var members = effects.members
        members["revision"] = .integer(state.revision)
        members["promotion"] = promotion(effects)
        members["stableVersion"] = stableVersion(service.status.stableVersion)
        members["refusals"] = JSONValue.list(refusals(effects, service)) { .string("\($0.pointer): \($0.detail)") }
        return .object(members)
    }

    /// The preview's `promotion`: the rules that the promotion moves without their having been split.
    private func promotion(_ effects: [RouteEffect]) -> JSONValue {
        let moving = effects.filter { $0.atPromotion == .moves }
        return .object(
            moving.members.merging([
                "unsplit": .string(spec.unsplitAction.rawValue),
                "waitsForAcknowledgement": .bool(
                    spec.unsplitAction == .hold && !moving.isEmpty && !status.isUnsplitAcknowledged),
            ]) { $1 })
    }

    /// The preview's `stableVersion`: the service's before and after the release's first step, the ready endpoints that
    /// stable has and needs, and the routes that move.
    private func stableVersion(_ before: Name?) -> JSONValue {
        let stable = spec.stable.version
        let ready = state.readyVersions(of: service)
        let others = ready.count { $0 != spec.canary.version }
        let needed = before == nil ? spec.strategy.endpointGuard.neededStable(of: others) : 0
        let moves = before == nil ? state.moves(of: service) { $0.apply(.setStable(stable), by: name.name) } : []
        return .fields([
            "before": before.map { .string($0.text) } ?? .null, "after": .string((before ?? stable).text),
            "readyStable": .integer(Int64(ready.count { $0 == stable })), "readyTotal": .integer(Int64(ready.count)),
            "neededStable": .integer(Int64(needed)),
            "moves": .array(moves.prefix([RouteEffect].shown).map(\.json)),
        ])
    }

    /// The preview's `refusals`: the violations for which a start would be refused.
    private func refusals(_ effects: [RouteEffect], _ service: MeshState.Service) -> [Violation] {
        let log = ViolationLog()
        let pointer = JSONPointer.spec
        spec.check(against: service.spec, at: pointer, log: log)
        var refusals = log.violations + spec.unknownRules(in: rules, namespace: name.namespace, at: pointer)
        if let rival {
            let detail = "release \(rival) of the same service is active"
            refusals.append(Violation(pointer.appending("service"), .conflict, detail))
        }
        refusals += spec.excess(in: rules, as: name, at: pointer)
        refusals += spec.stickinessConflicts(effects, at: pointer)
        if let version = service.status.stableVersion, version != spec.stable.version {
            refusals.append(
                Violation(
                    pointer.appending("stable").appending("version"), .conflict,
                    "the service's stable version is \(version)"))
        }
        for effect in effects {
            guard let place = effect.canaryWeightPointer else { continue }
            refusals.append(
                Violation(place, .conflict, "\(effect.place) gives \(spec.canary.version) requests by hand"))
        }
        return refusals
    }
}
