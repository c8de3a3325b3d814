package import MeshCore

/// What one service comes to. A name that no service has may have a result too: the mistakes of those who name it.
package struct CompiledService: Hashable, Sendable {
    /// Parts that change for different reasons and become different resources.
    package struct Parts: OptionSet, Hashable, Sendable {
        package let rawValue: UInt8
        package init(rawValue: UInt8) { self.rawValue = rawValue }

        package static let clusters = Parts(rawValue: 1)
        /// Members of clusters, and what sidecars let in.
        package static let endpoints = Parts(rawValue: 2)
        package static let inbound = Parts(rawValue: 4)
        package static let routes = Parts(rawValue: 8)
        package static let all: Parts = [.clusters, .endpoints, .inbound, .routes]
    }

    /// In the order of the service: each port, first as a whole and then version by version.
    package var clusters: [IR.Cluster] = []
    /// One for each of ``clusters``, in the same order.
    package var endpoints: [IR.Endpoints] = []
    /// Sorted by proxy, then by port.
    package var inbound: [IR.Inbound] = []
    /// One for each HTTP port, in the order of the service.
    package var virtualHosts: [IR.VirtualHost] = []
    /// The destination rule that ``IR/Cluster/policy`` is from.
    package var policySource: NamespacedName?
    var policyDiagnostics: [Diagnostic] = []
    var endpointDiagnostics: [Diagnostic] = []
    var routeDiagnostics: [Diagnostic] = []

    package var diagnostics: [Diagnostic] { policyDiagnostics + endpointDiagnostics + routeDiagnostics }

    /// Of nothing.
    package init() {}

    var isEmpty: Bool { self == CompiledService() }

    /// The parts in which the two differ.
    func differences(from other: CompiledService, among parts: Parts) -> Parts {
        var differences: Parts = []
        if parts.contains(.clusters) && clusters != other.clusters { differences.insert(.clusters) }
        if parts.contains(.endpoints) && endpoints != other.endpoints { differences.insert(.endpoints) }
        if parts.contains(.endpoints) && inbound != other.inbound { differences.insert(.inbound) }
        if parts.contains(.routes) && virtualHosts != other.virtualHosts { differences.insert(.routes) }
        return differences
    }
}

/// What a change of a mesh did to its compiled form.
package struct CompiledChange: Hashable, Sendable {
    /// The services of which something is different now, and what. Diagnostics do not count.
    package var services: [NamespacedName: CompiledService.Parts] = [:]

    package init() {}

    package var isEmpty: Bool { services.isEmpty }
}
