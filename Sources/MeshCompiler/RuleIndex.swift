internal import GrayRelease
package import MeshCore
package import MeshModel

/// A mesh and what its rules are about, for questions about releases. It follows the mesh at the cost of comparing its rules,
/// and of what changed in them.
package struct RuleIndex: Sendable {
    package private(set) var state: MeshState
    private(set) var references: References

    package init(_ state: MeshState) {
        self.state = state
        references = References(state)
    }

    /// Takes over another state of the same mesh, an earlier one too.
    package mutating func follow(_ new: MeshState) {
        for name in state.virtualServices.names(differentIn: new.virtualServices) {
            _ = references.replace(name, with: new.virtualServices[name]?.spec)
        }
        for name in state.destinationRules.names(differentIn: new.destinationRules) {
            _ = references.replace(name, with: new.destinationRules[name]?.spec)
        }
        for name in state.releases.names(differentIn: new.releases) {
            _ = references.replace(name, with: new.releases[name])
        }
        state = new
    }

    /// Services whose own routes may send requests to a service: itself, and those whose rules name it.
    package func services(sendingTo service: NamespacedName) -> Set<NamespacedName> {
        references.dependents(on: service).union([service])
    }

    /// Returns the index of the mesh with one release for a service, in place of those that there are.
    func replacingReleases(of service: NamespacedName, by name: NamespacedName, _ traffic: ReleaseTraffic) -> RuleIndex
    {
        var other = self
        for name in references.releases(of: service) {
            other.state.releases[name] = nil
            _ = other.references.replace(name, with: nil as ReleaseTraffic?)
        }
        other.state.releases[name] = traffic
        _ = other.references.replace(name, with: traffic)
        return other
    }
}
