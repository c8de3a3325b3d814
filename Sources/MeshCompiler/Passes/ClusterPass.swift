internal import Documents
package import MeshCore
internal import MeshModel

/// Ports and versions of a host become clusters, with what the destination rule in force says of them.
enum ClusterPass: Pass {
    static func run(_ host: Host, _ view: inout MeshView, _ diagnostics: inout [Diagnostic]) -> CompiledClusters? {
        let policies = view.policies(of: host)
        let service = view.service(host)
        diagnostics += policies.diagnostics(&view)
        guard let spec = service?.spec else { return nil }
        let clusters = spec.ports.flatMap { port in
            spec.clusterNames(of: port, host).map {
                IR.Cluster(name: $0, isHTTP2: port.appProtocol.isHTTP2, policy: policies.policy(of: $0, spec))
            }
        }
        return CompiledClusters(clusters: clusters, policySource: policies.source)
    }
}

/// What a host can be reached as.
package struct CompiledClusters: Hashable, Sendable {
    /// In the order of the service: each port, first as a whole and then version by version.
    package var clusters: [IR.Cluster]
    /// The destination rule that ``IR/Cluster/policy`` is from.
    package var policySource: NamespacedName?
}

extension ServiceSpec {
    /// First the port as a whole, and then version by version.
    func clusterNames(of port: Port, _ host: Host) -> [IR.ClusterName] {
        [IR.ClusterName(host: host, port: port.number, version: nil)]
            + versions.map { IR.ClusterName(host: host, port: port.number, version: $0.name) }
    }
}

/// The destination rules for a host, of which one holds: several are not merged, as it would depend on their order what they mean.
struct Policies {
    private let host: Host
    /// Oldest first.
    private let rules: [(name: NamespacedName, spec: DestinationRuleSpec)]

    /// - Parameter rules: those about the host, in any order.
    init(of host: Host, _ rules: [(name: NamespacedName, input: MeshState.Policies)]) {
        self.host = host
        let ordered = rules.sorted { ($0.input.createTime, $0.name) < ($1.input.createTime, $1.name) }
        self.rules = ordered.map { ($0.name, $0.input.spec) }
    }

    /// What holds for connections to the cluster.
    ///
    /// - Parameter spec: the host's.
    func policy(of cluster: IR.ClusterName, _ spec: ServiceSpec) -> TrafficPolicy.Blocks {
        holding?.spec.policy(port: cluster.port, version: cluster.version, of: spec) ?? TrafficPolicy.Blocks()
    }

    /// What destinations of the host may name besides its versions.
    var subsets: [DestinationRuleSpec.Subset] { holding?.spec.subsets ?? [] }

    /// The rule that holds.
    var source: NamespacedName? { holding?.name }

    private var holding: (name: NamespacedName, spec: DestinationRuleSpec)? {
        rules.first { $0.name.namespace == host.namespace }
    }

    /// What rules say that cannot be done.
    fileprivate func diagnostics(_ view: inout MeshView) -> [Diagnostic] {
        rules.flatMap { name, spec in
            let key = ObjectKey.namespaced(.destinationRule, name, in: view.mesh)
            let problems = spec.violations(named: name, in: &view)
            var diagnostics = problems.map { Diagnostic(key, $0.pointer, .unknownReference, $0.detail) }
            if let holding, name != holding.name, name.namespace == host.namespace {
                let detail = "DestinationRule \(holding.name) holds for service \(host); this one does not"
                diagnostics.append(
                    Diagnostic(
                        key, .spec.appending("host"), .conflict, detail,
                        other: .namespaced(.destinationRule, holding.name, in: view.mesh)))
            }
            return diagnostics
        }
    }
}
