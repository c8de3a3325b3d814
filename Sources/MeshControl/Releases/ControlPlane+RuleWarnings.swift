internal import Documents
internal import GrayRelease
internal import MeshCompiler
internal import MeshCore
internal import MeshModel
internal import MeshStore

extension ControlPlane {
    /// Warnings about the effects of a write of rules on releases under way. The rules are taken all the same: a
    /// maintenance page must not wait for a release.
    ///
    /// - Parameters:
    ///   - spec: of the VirtualService `name`, as it is to be.
    ///   - state: the mesh without this write.
    ///   - waiting: releases that are active and change no route yet.
    static func releaseWarnings(
        about spec: VirtualServiceSpec, named name: NamespacedName, in state: MeshState,
        _ waiting: [NamespacedName: ReleaseTraffic]
    ) -> [Violation] {
        let own = Set(spec.hosts.compactMap { HostName.service($0, from: name.namespace) })
        let running = Dictionary(uniqueKeysWithValues: state.releases.map { ($0.key, $0.value) })
        let releases = running.merging(waiting) { running, _ in running }.filter { _, traffic in
            own.contains(traffic.service) || !spec.uses(of: traffic.service, from: name.namespace).isEmpty
        }
        guard !releases.isEmpty else { return [] }
        var state = state
        state.virtualServices[name] = MeshState.Rules(
            spec: spec,
            createTime: state.virtualServices[name]?.createTime ?? Timestamp(microseconds: .max))
        let rules = RuleIndex(state)
        return releases.sorted { $0.key < $1.key }.flatMap { release, traffic in
            warnings(of: traffic.effects(in: rules), to: name, from: release, traffic)
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
