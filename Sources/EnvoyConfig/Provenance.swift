package import Documents
package import MeshCompiler
package import MeshCore
internal import MeshModel

/// The part of an object that something a proxy refuses was made of.
package struct Source: Hashable, Sendable {
    package var object: ObjectKey
    /// Where in the object; the root if that is not known.
    package var pointer: JSONPointer
}

extension ConfigEncoder {
    /// What a resource that a proxy refuses was made of, as far as its name and the proxy's words tell: nothing, rather than
    /// something that may be wrong.
    ///
    /// - Parameters:
    ///   - proxy: who refuses. What sidecars let in has names that are the same for many.
    ///   - complaint: what the proxy said. Route configurations hold everybody's rules, so for them only it tells.
    ///   - isCurrent: whether what was refused is what the compiler has now, so that places that the complaint counts are
    ///     the places of now.
    package func sources(
        of type: ResourceType, named name: String, by proxy: NamespacedName, refusedWith complaint: String,
        isCurrent: Bool, in compiler: Compiler, mesh: MeshKey
    ) -> [Source] {
        let origins = Origins(compiler: compiler, mesh: mesh)
        switch type {
        case .cluster:
            if let part = cluster(name) { return [origins.cluster(name, part)] }
            return inbound(of: proxy, origins) { $0.clusterName == name }
        case .endpoints: return cluster(name).map { [origins.service($0.service)] } ?? []
        case .listener:
            let own = inbound(of: proxy, origins) { $0.listenerName == name }
            return own.isEmpty ? proxylessListener(name, origins) : own
        case .routes:
            return RefusedRoutes(hosts: hosts(in: name, compiler), origins: origins).sources(complaint, isCurrent)
        }
    }

    /// `outbound|9080|v1|reviews.shop.svc.cluster.local`: which service, which port, and whether all of its versions.
    private func cluster(_ name: String) -> (service: NamespacedName, port: Int, isWhole: Bool)? {
        let parts = name.split(separator: "|", omittingEmptySubsequences: false)
        guard parts.count == 4, parts[0] == "outbound", let port = Int(parts[1]),
            let service = HostName.service(String(parts[3]), from: .defaultMesh), services[service] != nil
        else { return nil }
        return (service, port, parts[2].isEmpty)
    }

    /// The port that a sidecar lets something in for; of several the first.
    private func inbound(
        of proxy: NamespacedName, _ origins: Origins, where isIt: (IR.Inbound) -> Bool
    ) -> [Source] {
        for service in servicesBehind(proxy) {
            let all = origins.compiler.services[service]?.inbound ?? []
            if let found = all.first(where: { $0.proxy == proxy.name && isIt($0) }) {
                return [origins.port(found.port.number, of: service, isWhole: true)]
            }
        }
        return []
    }

    private func proxylessListener(_ name: String, _ origins: Origins) -> [Source] {
        proxylessHosts(origins.compiler).first { $0.names.contains(name) }
            .map { [origins.port($0.host.port, of: $0.host.service, isWhole: true)] } ?? []
    }

    /// The virtual hosts of a route configuration, in its order.
    private func hosts(in routes: String, _ compiler: Compiler) -> [IR.VirtualHost] {
        if routes == OutboundRoutes.name { return routed.flatMap { compiler.services[$0]?.virtualHosts ?? [] } }
        return proxylessHosts(compiler).filter { $0.names.contains(routes) }.map(\.host)
    }

    /// Virtual hosts with the names that gRPC clients have for their listeners and route configurations.
    private func proxylessHosts(_ compiler: Compiler) -> [(host: IR.VirtualHost, names: [String])] {
        routed.flatMap { compiler.services[$0]?.virtualHosts ?? [] }.map { host in
            let (name, namespace) = (host.service.name, host.service.namespace)
            let names = ["\(name)", "\(name).\(namespace)", HostName.full(host.service)].map { "\($0):\(host.port)" }
            return (host, names)
        }
    }
}

/// Objects by what was made of them.
struct Origins {
    let compiler: Compiler
    let mesh: MeshKey

    func service(_ name: NamespacedName) -> Source {
        Source(object: .namespaced(.service, name, in: mesh), pointer: .root)
    }

    /// What has no destination rule is the same for all services, so where there is one it was that.
    func cluster(_ name: String, _ part: (service: NamespacedName, port: Int, isWhole: Bool)) -> Source {
        let compiled = compiler.services[part.service]
        let policy = compiled?.clusters.first { $0.name.text == name }?.policy
        guard let rule = compiled?.policySource, let policy, policy != .init() else {
            return port(part.port, of: part.service, isWhole: part.isWhole)
        }
        return Source(object: .namespaced(.destinationRule, rule, in: mesh), pointer: .root)
    }

    /// - Parameter isWhole: the port and nothing else, such as a version, is what was refused.
    func port(_ port: Int, of service: NamespacedName, isWhole: Bool) -> Source {
        var source = self.service(service)
        var ports: [Int] = []
        for cluster in compiler.services[service]?.clusters ?? [] where ports.last != cluster.name.port {
            ports.append(cluster.name.port)
        }
        if isWhole, let index = ports.firstIndex(of: port) {
            source.pointer = JSONPointer(["spec", "ports"]).appending(index)
        }
        return source
    }

    /// The rule, or whole object, that wants a route.
    func route(_ route: IR.Route, of service: NamespacedName) -> Source {
        // Its steps have become one state, which does not say what came from which.
        if let copy = route.releases.last(where: \.isCopy) {
            return Source(object: .namespaced(.release, copy.release, in: mesh), pointer: .root)
        }
        return switch route.origin {
        case .service: self.service(service)
        case .rules(let name, let index, _, _):
            Source(
                object: .namespaced(.virtualService, name, in: mesh),
                pointer: JSONPointer(["spec", "http"]).appending(index))
        }
    }
}
