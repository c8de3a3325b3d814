internal import GrayRelease
internal import MeshCore
package import MeshModel

/// A mesh and what its rules are about, for questions about releases. It follows the mesh at the cost of comparing its rules,
/// and of what changed in them.
package struct RuleIndex: Sendable {
    private var index: MeshIndex

    package init(_ state: MeshState) { index = MeshIndex(state, of: Self.kinds) }

    private static let kinds: [Kind] = [.virtualService, .destinationRule, .release] + MeshIndex.definers

    package var state: MeshState { index.state }
    var view: MeshView { MeshView(index) }

    /// Takes over another state of the same mesh, an earlier one too.
    package mutating func update(to new: MeshState) { _ = index.update(to: new, state.change(to: new, of: Self.kinds)) }

    /// Hosts whose own routes may send requests to a host: itself, and those whose rules name it.
    package func hosts(sendingTo host: Host) -> Set<Host> {
        var view = view
        return view.hosts(sendingTo: host).union([host])
    }

    /// Returns the index of the mesh with one release for a service, in place of those that there are.
    func replacingReleases(of service: NamespacedName, by name: NamespacedName, _ traffic: ReleaseTraffic) -> RuleIndex
    {
        var (state, change, view) = (state, MeshChange(), view)
        for (other, _) in view.releases(of: .service(service)) {
            state.releases[other] = nil
            change.releases.insert(other)
        }
        state.releases[name] = traffic
        change.releases.insert(name)
        var other = self
        _ = other.index.update(to: state, change)
        return other
    }
}
