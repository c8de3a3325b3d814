internal import Documents
internal import GrayRelease
internal import MeshCore
internal import MeshModel

/// Lowers the rules for a host, and the releases of its service, to the routes of its HTTP ports: one virtual host
/// each.
enum RoutePass: Pass {
    static func run(
        _ host: Host, _ view: inout MeshView, _ diagnostics: inout [Diagnostic]
    ) -> [IR.VirtualHost]? {
        guard let service = view.service(host) else {
            diagnostics += unknown(host, &view)
            return nil
        }
        let excess = view.excess(of: host)
        var lowering = RouteLowering(host, service, view, excess: excess)
        let hosts = lowering.virtualHosts()
        view = lowering.view
        diagnostics += lowering.diagnostics.byObject
        return hosts.isEmpty ? nil : hosts
    }

    /// The cost of the rules for a host.
    static func cost(of host: Host, _ view: inout MeshView) -> RouteCost {
        guard let spec = view.service(host)?.spec, let holder = view.ownership(of: host).holder else {
            return RouteCost()
        }
        return view.object(VirtualServiceSpec.self, holder)?.spec.cost(for: spec) ?? RouteCost()
    }

    /// The diagnostics for objects about a host that does not exist.
    private static func unknown(_ host: Host, _ view: inout MeshView) -> [Diagnostic] {
        var diagnostics: [Diagnostic] = []
        for (name, rules) in view.objects(VirtualServiceSpec.self, mentioning: host.mention) {
            guard let index = rules.spec.hostIndex(of: host, from: name, names: { view.host($0, from: $1) }) else {
                continue
            }
            diagnostics.append(
                Diagnostic(
                    .namespaced(.virtualService, name, in: view.mesh),
                    JSONPointer(["spec", "hosts"]).appending(index), .unknownReference,
                    host.absence(named: rules.spec.hosts[index])))
        }
        return diagnostics
            + view.releases(of: host).map {
                Diagnostic(
                    .namespaced(.release, $0.name, in: view.mesh), .spec.appending("service"), .unknownReference,
                    host.absence)
            }
    }
}

extension [Diagnostic] {
    /// By object, then in the order in which they were found.
    fileprivate var byObject: [Diagnostic] {
        enumerated().sorted { a, b in
            let (x, y) = (a.element.object.sortKey, b.element.object.sortKey)
            return x == y ? a.offset < b.offset : x < y
        }.map(\.element)
    }
}

extension ObjectKey {
    fileprivate var sortKey: String { "\(kind.name) \(namespace?.text ?? "") \(name.text)" }
}
