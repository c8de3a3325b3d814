package import Documents
package import MeshCompiler
package import MeshCore
internal import MeshModel

/// The part of an object that something a proxy refuses was made of.
package struct Provenance: Hashable, Sendable {
    package var object: ObjectKey
    /// The place in the object; the root if that is not known.
    package var pointer: JSONPointer
}

extension ConfigEncoder {
    /// The sources of a resource that a proxy refuses, as far as its name and the proxy's words tell: nothing, rather than
    /// something that may be wrong.
    ///
    /// - Parameters:
    ///   - proxy: who refuses. What sidecars let in has names that are the same for many.
    ///   - nackMessage: what the proxy said. Route configurations hold everybody's rules, so for them only it tells.
    ///   - isCurrent: whether what was refused is what the compiler has now, so that places that the message counts are
    ///     the places of now.
    package func provenance(
        of type: ConfigType, named name: String, by proxy: NamespacedName, refusedWith nackMessage: String,
        isCurrent: Bool, in compiler: Compiler, mesh: MeshKey
    ) -> [Provenance] {
        let origins = ProvenanceLookup(compiler: compiler, mesh: mesh)
        switch type {
        case .cluster:
            if let part = cluster(name) { return [origins.cluster(name, part)] }
            return inbound(of: proxy, origins) { $0.clusterName == name }
        case .endpoints:
            return cluster(name).map { [origins.definition($0.host)] } ?? []
        case .listener:
            let own = inbound(of: proxy, origins) { $0.listenerName == name }
            return own.isEmpty ? proxylessListener(name, seenFrom: proxy.namespace, origins) : own
        case .routes:
            return RefusedRoutes(
                hosts: virtualHosts(in: name, seenFrom: proxy.namespace, compiler), origins: origins
            )
            .sources(nackMessage, isCurrent)
        }
    }

    /// `outbound|9080|v1|reviews.shop.svc.cluster.local`: which host, which port, and whether all of its versions.
    private func cluster(_ name: String) -> (host: Host, port: Int, isWhole: Bool)? {
        guard let cluster = IR.ClusterName(name), hosts[cluster.host] != nil else { return nil }
        return (cluster.host, cluster.port, cluster.version == nil)
    }

    /// The port that a sidecar lets something in for; of several the first.
    private func inbound(
        of proxy: NamespacedName, _ origins: ProvenanceLookup, where isIt: (IR.Inbound) -> Bool
    ) -> [Provenance] {
        origins.compiler.inbound(of: proxy).first(where: isIt)
            .map { [origins.port($0.port.number, of: .service($0.service), isWhole: true)] } ?? []
    }

    private func proxylessListener(_ name: String, seenFrom namespace: Name, _ origins: ProvenanceLookup)
        -> [Provenance]
    {
        let taken = takenNames(from: namespace)
        let found = virtualHosts(seenFrom: namespace, origins.compiler).first { host in
            host.host.targets(from: namespace, except: taken).contains { "\($0):\(host.port)" == name }
        }
        return found.map { [origins.port($0.port, of: $0.host, isWhole: true)] } ?? []
    }

    /// The virtual hosts of a route configuration, in its order.
    private func virtualHosts(
        in routes: String, seenFrom namespace: Name, _ compiler: Compiler
    ) -> [IR.VirtualHost] {
        let all = virtualHosts(seenFrom: namespace, compiler)
        if routes == OutboundRoutes.name { return all }
        return all.filter { "\($0.host.routesName):\($0.port)" == routes }
    }

    private func virtualHosts(seenFrom namespace: Name, _ compiler: Compiler) -> [IR.VirtualHost] {
        routed.filter { hosts[$0]?.visibility.contains(namespace) == true }.flatMap { compiler.virtualHosts(of: $0) }
    }
}

/// Objects by what was made of them.
struct ProvenanceLookup {
    let compiler: Compiler
    let mesh: MeshKey

    /// The object that defines a host.
    func definition(_ host: Host) -> Provenance {
        let object: ObjectKey? =
            switch host {
            case .service(let name): .namespaced(.service, name, in: mesh)
            case .external: compiler.clusters(of: host)?.definition
            }
        // What is refused of a host is of one that is compiled; in doubt nobody but the mesh is to blame.
        return Provenance(object: object ?? .mesh(mesh.mesh, of: mesh.tenant), pointer: .root)
    }

    /// The destination rule of a host, if there is one: without one all services have the same, so it was the rule.
    func cluster(_ name: String, _ part: (host: Host, port: Int, isWhole: Bool)) -> Provenance {
        let compiled = compiler.clusters(of: part.host)
        let policy = compiled?.clusters.first { $0.name.text == name }?.policy
        guard let rule = compiled?.policySource, let policy, policy != .init() else {
            return port(part.port, of: part.host, isWhole: part.isWhole)
        }
        return Provenance(object: .namespaced(.destinationRule, rule, in: mesh), pointer: .root)
    }

    /// - Parameter isWhole: the port and nothing else, such as a version, is what was refused.
    func port(_ port: Int, of host: Host, isWhole: Bool) -> Provenance {
        var source = definition(host)
        var ports: [Int] = []
        for cluster in compiler.clusters(of: host)?.clusters ?? [] where ports.last != cluster.name.port {
            ports.append(cluster.name.port)
        }
        if isWhole, let index = ports.firstIndex(of: port) {
            source.pointer = JSONPointer(["spec", "ports"]).appending(index)
        }
        return source
    }

    /// The rule, or whole object, that wants a route.
    func route(_ route: IR.Route, of host: Host) -> Provenance {
        // Its steps have become one state, which does not say what came from which.
        if let copy = route.releases.last(where: \.isCopy) {
            return Provenance(object: .namespaced(.release, copy.release, in: mesh), pointer: .root)
        }
        return switch route.origin {
        case .service: definition(host)
        case .rules(let name, let index, _, _):
            Provenance(
                object: .namespaced(.virtualService, name, in: mesh),
                pointer: JSONPointer(["spec", "http"]).appending(index))
        }
    }
}
