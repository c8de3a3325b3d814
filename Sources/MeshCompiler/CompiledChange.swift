package import MeshCore
package import MeshModel

/// What a change of a mesh did to its compiled form: the subjects that come to something else now, or to nothing. Diagnostics do
/// not count.
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
