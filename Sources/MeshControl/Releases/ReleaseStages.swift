package import Documents
package import GrayRelease
package import MeshCore
package import MeshModel
package import MeshStore

/// A state that a mesh comes to on account of a release: at its start, in each of its steps, and when it has ended well.
package struct ReleaseStage: Sendable {
    package enum Moment: Hashable, Sendable {
        /// The service means its stable version from now on, if it meant all before.
        case start
        case step(Int)
        /// The canary is stable, and the release has ended.
        case promotion
    }

    package var moment: Moment
    /// The traffic of the release; `nil`: it has none.
    package var traffic: ReleaseTraffic?
    package var state: MeshState
    /// The difference from the stage before, at least.
    package var change: MeshChange
}

/// A virtual host that a proxy would be sent otherwise than before.
package struct RouteDifference: Hashable, Sendable {
    /// The host whose callers it is for.
    package var host: Host
    /// The route configuration that has it, by name, and its place there.
    package var resource: String
    package var index: Int
    package var before: JSONValue
    package var after: JSONValue

    package init(host: Host, resource: String, index: Int, before: JSONValue, after: JSONValue) {
        self.host = host
        self.resource = resource
        self.index = index
        self.before = before
        self.after = after
    }

    /// For the document that has a proxy's route configurations by their names.
    var patch: JSONPatch {
        JSONPatch(from: before, to: after, at: JSONPointer([resource, "virtual_hosts", String(index)]))
    }
}

/// Finds out how the routes of a proxy differ from stage to stage: one answer for each. The data plane does: it knows Envoy.
///
/// It takes as long as compiling the mesh, and ends early if the closure says so.
package typealias RouteDifferenceSource =
    @Sendable (ProxyRow, MeshState, [ReleaseStage], _ isCancelled: @Sendable () -> Bool) -> [[RouteDifference]]

extension ReleaseSpec {
    /// The stages of a release with this plan, in order, and the mesh without it.
    ///
    /// - Parameter name: the release's.
    package func stages(as name: NamespacedName, in state: MeshState) -> (before: MeshState, stages: [ReleaseStage]) {
        let service = NamespacedName(namespace: name.namespace, name: self.service)
        var state = state
        state.releases[name] = nil
        let before = state
        var (services, releases) = (MeshChange(), MeshChange())
        services.services = [service]
        releases.releases = [name]
        state.services[service]?.status.apply(.setStable(stable.version), by: name.name)
        var stages = [ReleaseStage(moment: .start, traffic: nil, state: state, change: services)]
        for index in strategy.steps.indices {
            let traffic = traffic(in: name.namespace, through: index)
            let owned = traffic.isEffective ? traffic : nil
            state.releases[name] = owned
            stages.append(ReleaseStage(moment: .step(index), traffic: traffic, state: state, change: releases))
        }
        state.releases[name] = nil
        let promotion = ServiceStatus.Change.promote(
            from: stable.version, to: canary.version, at: Timestamp(microseconds: 0), rules: strategy.rules)
        state.services[service]?.status.apply(promotion, by: name.name)
        services.releases = [name]
        stages.append(ReleaseStage(moment: .promotion, traffic: nil, state: state, change: services))
        return (before, stages)
    }
}
