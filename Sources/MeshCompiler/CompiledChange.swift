package import MeshCore
package import MeshModel

/// The difference between two compiled forms of a mesh: the subjects whose results changed, appeared or went.
/// Diagnostics do not count.
package struct CompiledChange: Hashable, Sendable {
    /// Hosts with other clusters.
    package var clusters: Set<Host> = []
    /// Hosts with other members of clusters.
    package var endpoints: Set<Host> = []
    /// Hosts with other virtual hosts.
    package var routes: Set<Host> = []
    /// Proxies that let something else in.
    package var workloads: Set<NamespacedName> = []

    package init() {}

    package var isEmpty: Bool { clusters.isEmpty && endpoints.isEmpty && routes.isEmpty && workloads.isEmpty }
}
