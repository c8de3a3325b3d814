internal import MeshCompiler
internal import MeshModel
internal import MeshStore

extension ControlPlane {
    /// What a write of rules means to releases under way. Rules are taken all the same: a maintenance page must not wait for
    /// a release.
    ///
    /// - Parameter rules: a VirtualService as it was written, or would be.
    /// - Returns: nothing if the mesh cannot be read now: the write has happened.
    func releaseWarnings(about rules: StoredObject) async -> [Violation] {
        guard let mesh = rules.key.meshKey, let name = rules.key.namespacedName,
            let spec: VirtualServiceSpec = rules.noun(), var state = try? await currentState(of: mesh)
        else { return [] }
        let own = Set(spec.hosts.compactMap { HostName.service($0, from: name.namespace) })
        let releases = state.releases.filter { _, traffic in
            own.contains(traffic.service) || !spec.uses(of: traffic.service, from: name.namespace).isEmpty
        }
        guard !releases.isEmpty else { return [] }
        _ = state.apply(StoredChanges(changed: [rules]))
        let rules = RuleIndex(state)
        return releases.sorted { $0.key < $1.key }.flatMap { release, traffic in
            Self.warnings(of: traffic.effects(in: rules), to: name, from: release, traffic)
        }
    }

    private static func warnings(
        of effects: [RouteEffect], to rules: NamespacedName, from release: NamespacedName, _ traffic: ReleaseTraffic
    ) -> [Violation] {
        guard effects.contains(where: \.divides) else {
            let detail =
                "the release \(release) is left nothing to split: it pauses until there is a rule again whose requests "
                + "\(traffic.stable) and \(traffic.canary) can share"
            return [Violation(.root, .consequence, detail)]
        }
        return effects.filter { $0.virtualService == rules }.compactMap { effect in
            effect.canaryWeightPointer.map { pointer in
                let detail =
                    "while the release \(release) runs, \(traffic.canary) gets the release's share instead of this weight; "
                    + "after a rollback this weight holds again"
                return Violation(pointer, .consequence, detail)
            }
        }
    }
}
