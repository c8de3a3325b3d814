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
        let definition = view.definition(of: host)
        let clusters = spec.ports.flatMap { port in
            spec.clusterNames(of: port, host).map { name in
                IR.Cluster(
                    name: name, isHTTP2: port.appProtocol.isHTTP2, policy: policies.policy(of: name, spec),
                    names: definition?.host.names(of: port))
            }
        }
        return CompiledClusters(
            clusters: clusters, policySource: policies.source,
            definition: definition.map { .namespaced($0.kind, $0.object, in: view.mesh) },
            visibility: visibility(of: host, &view, &diagnostics))
    }

    /// The namespaces that see a host. Of several definitions of one name in a namespace the oldest holds, and so does
    /// the oldest of those that several namespaces define for others.
    private static func visibility(
        of host: Host, _ view: inout MeshView, _ diagnostics: inout [Diagnostic]
    ) -> IR.Visibility {
        guard case .external(let text, let namespace) = host else { return .everybody }
        let all = view.definitions(of: text)
        guard let holding = all[namespace] else { return .only([]) }
        for (pointer, detail) in holding.host.idle.sorted(by: { $0.key.description < $1.key.description }) {
            diagnostics.append(
                Diagnostic(
                    .namespaced(holding.kind, holding.object, in: view.mesh), pointer, .unsupported, detail,
                    severity: .notice))
        }
        for other in all.others where other.object.namespace == namespace {
            diagnostics.append(
                Diagnostic(
                    other, .conflict,
                    "\(holding.kind) \(holding.object) defines the host \(text); this one does not", in: view.mesh,
                    other: .namespaced(holding.kind, holding.object, in: view.mesh)))
        }
        let owner = view.owner(ofServiceNamed: text)
        let (visibility, rival) = all.visibility(of: namespace, owner: owner)
        if let rival {
            diagnostics.append(
                Diagnostic(
                    holding, .conflict,
                    "\(rival.kind) \(rival.object) defines the host \(text) for namespaces that this one is to be there for",
                    in: view.mesh, other: .namespaced(rival.kind, rival.object, in: view.mesh)))
        } else if let owner, owner != namespace, holding.host.export != .namespaces([namespace]),
            let service = HostName.service(text, from: owner)
        {
            diagnostics.append(
                Diagnostic(
                    holding, .conflict, "for other namespaces than its own \(text) is the name of service \(service)",
                    in: view.mesh, other: .namespaced(.service, service, in: view.mesh)))
        }
        return visibility
    }
}

extension DefinedHost {
    fileprivate func names(of port: ServiceSpec.Port) -> IR.Names? {
        guard case .names(_, let isFirstOnly) = members else { return nil }
        return IR.Names(localities: localities(of: port), isFirstOnly: isFirstOnly)
    }
}

extension Diagnostic {
    /// About the definition of a host.
    fileprivate init(
        _ definition: HostDefinition, _ code: Code, _ detail: String, in mesh: MeshKey, other: ObjectKey
    ) {
        self.init(
            .namespaced(definition.kind, definition.object, in: mesh), definition.host.pointer, code, detail,
            other: other)
    }
}

/// The clusters of a host, and the objects that they come from.
package struct CompiledClusters: Hashable, Sendable {
    /// In the order of the service: each port, first as a whole and then version by version.
    package var clusters: [IR.Cluster]
    /// The destination rule that ``IR/Cluster/policy`` is from.
    package var policySource: NamespacedName?
    /// The object that defines the host, such as a ServiceEntry; `nil`: the service itself.
    package var definition: ObjectKey?
    package var visibility = IR.Visibility.everybody
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

    /// The traffic policy for connections to the cluster.
    ///
    /// - Parameter spec: the host's.
    func policy(of cluster: IR.ClusterName, _ spec: ServiceSpec) -> TrafficPolicy.Blocks {
        holding?.spec.policy(port: cluster.port, version: cluster.version, of: spec) ?? TrafficPolicy.Blocks()
    }

    /// The subsets that destinations of the host may name besides its versions.
    var subsets: [DestinationRuleSpec.Subset] { holding?.spec.subsets ?? [] }

    /// The rule that holds.
    var source: NamespacedName? { holding?.name }

    private var holding: (name: NamespacedName, spec: DestinationRuleSpec)? {
        rules.first { $0.name.namespace == host.namespace }
    }

    /// The diagnostics of the rules: for parts that cannot be carried out, and for rules that do not hold.
    fileprivate func diagnostics(_ view: inout MeshView) -> [Diagnostic] {
        rules.flatMap { name, spec in
            let key = ObjectKey.namespaced(.destinationRule, name, in: view.mesh)
            let problems = spec.violations(named: name, in: &view)
            var diagnostics = problems.map {
                Diagnostic(key, $0.pointer, $0.code == .duplicate ? .conflict : .unknownReference, $0.detail)
            }
            if let holding, name != holding.name, name.namespace == host.namespace {
                let detail = "DestinationRule \(holding.name) holds for \(host.noun) \(host); this one does not"
                diagnostics.append(
                    Diagnostic(
                        key, .spec.appending("host"), .conflict, detail,
                        other: .namespaced(.destinationRule, holding.name, in: view.mesh)))
            }
            return diagnostics
        }
    }
}
