internal import Documents
internal import MeshCore
internal import MeshModel

/// The destination rule that holds for a service, and what it comes to.
struct PolicyLowering {
    private let mesh: MeshKey
    private let service: NamespacedName
    private let services: Table<MeshState.Service>
    /// Oldest first. The first holds: several are not merged, as it would depend on their order what they mean.
    private let rules: [(name: NamespacedName, spec: DestinationRuleSpec)]

    /// - Parameter rules: the names of those with this host, in any order.
    init(state: MeshState, service: NamespacedName, rules: Set<NamespacedName>) {
        mesh = state.mesh
        self.service = service
        services = state.services
        let known = rules.compactMap { name in state.destinationRules[name].map { (name, $0) } }
        let ordered = known.sorted { ($0.1.createTime, $0.0) < ($1.1.createTime, $1.0) }
        self.rules = ordered.map { ($0.0, $0.1.spec) }
    }

    /// What holds for connections to the cluster.
    func policy(of cluster: IR.ClusterName) -> TrafficPolicy.Blocks {
        guard let rule = holding, let spec = services[service]?.spec else { return TrafficPolicy.Blocks() }
        return rule.spec.policy(port: cluster.port, version: cluster.version, of: spec)
    }

    /// What destinations of the service may name besides its versions.
    var subsets: [DestinationRuleSpec.Subset] { holding?.spec.subsets ?? [] }

    /// The rule that holds.
    var source: NamespacedName? { holding?.name }

    private var holding: (name: NamespacedName, spec: DestinationRuleSpec)? {
        rules.first { $0.name.namespace == service.namespace }
    }

    /// What rules say that cannot be done.
    var diagnostics: [Diagnostic] {
        rules.flatMap { name, spec in
            let key = ObjectKey.namespaced(.destinationRule, name, in: mesh)
            let problems = spec.violations(named: name, services: services)
            var diagnostics = problems.map { Diagnostic(key, $0.pointer, .unknownReference, $0.detail) }
            if let holding, name != holding.name, name.namespace == service.namespace {
                let detail = "DestinationRule \(holding.name) holds for service \(service); this one does not"
                diagnostics.append(
                    Diagnostic(
                        key, .spec.appending("host"), .conflict, detail,
                        other: .namespaced(.destinationRule, holding.name, in: mesh)))
            }
            return diagnostics
        }
    }
}
