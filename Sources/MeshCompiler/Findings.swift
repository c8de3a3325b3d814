internal import Documents
internal import MeshCore
internal import MeshModel

extension Compiler {
    /// Everything that has to be said about objects: ``diagnostics``, and destinations of rules that nobody answers at, which
    /// come and go with endpoints while no rule and no route changes.
    package var findings: [Diagnostic] { diagnostics + emptyDestinations(in: hosts) }

    /// - Parameter hosts: those whose routes are looked at.
    func emptyDestinations(in hosts: some Sequence<Host>) -> [Diagnostic] {
        guard let mesh else { return [] }
        var found: Set<Diagnostic> = []
        for host in hosts {
            for route in virtualHosts(of: host).flatMap(\.routes) {
                guard case .rules(let rules, let index, _, _) = route.origin, case .forward(let forward) = route.action
                else { continue }
                for share in forward.destinations where !hasEndpoints(share.cluster) {
                    let version = share.cluster.version.map { "version \($0) of " } ?? ""
                    found.insert(
                        Diagnostic(
                            .namespaced(.virtualService, rules, in: mesh),
                            JSONPointer(["spec", "http"]).appending(index).appending("route"), .noReadyEndpoints,
                            "\(version)\(share.cluster.host.noun) \(share.cluster.host) has no ready endpoint",
                            other: share.cluster.host.service.map { .namespaced(.service, $0, in: mesh) }))
                }
            }
        }
        return found.inOrder
    }

    private func hasEndpoints(_ cluster: IR.ClusterName) -> Bool {
        // What names are resolved to nobody here knows.
        if clusters(of: cluster.host)?.clusters.first(where: { $0.name == cluster })?.names != nil { return true }
        let endpoints = endpoints(of: cluster.host).first { $0.cluster == cluster }
        return endpoints?.localities.contains { $0.endpoints.contains { !$0.isDraining } } ?? false
    }
}

extension ObjectKey {
    fileprivate var place: String {
        let parts = [namespace, service, name].map { $0?.text ?? "" }
        return "\(kind.name) \(parts.joined(separator: "/"))"
    }
}

extension Sequence<Diagnostic> {
    /// By object, place and text.
    package var inOrder: [Diagnostic] {
        map { (key: "\($0.object.place) \($0.pointer) \($0.detail)", value: $0) }
            .sorted { $0.key < $1.key }.map(\.value)
    }
}
