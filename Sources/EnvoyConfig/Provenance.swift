package import MeshCompiler
package import MeshModel

extension ConfigEncoder {
    /// The objects that a resource comes from, most likely culprits only: what to name when a proxy refuses it.
    ///
    /// - Parameters:
    ///   - message: what the proxy said. Route configurations hold everybody's rules, so there it is looked for names of
    ///     virtual hosts, routes, clusters and for texts of rules.
    /// - Returns: sorted; empty if nothing can be said.
    package func sources(
        of type: ResourceType, named name: String, rejectedWith message: String, in compiler: Compiler, mesh: MeshKey
    ) -> [ObjectKey] {
        switch type {
        case .cluster, .endpoints: return service(ofCluster: name).map { [.namespaced(.service, $0, in: mesh)] } ?? []
        case .listener: return inboundServices(listening: name).map { .namespaced(.service, $0, in: mesh) }
        case .routes:
            var keys: [ObjectKey] = []
            for (service, compiled) in compiler.services.sorted(by: { $0.key < $1.key }) {
                for host in compiled.virtualHosts {
                    let isNamed = message.contains("\(HostName.full(service)):\(host.port)")
                    for route in host.routes where isNamed || route.isMentioned(in: message) {
                        let key = route.origin.key(of: service, in: mesh)
                        if !keys.contains(key) { keys.append(key) }
                    }
                }
            }
            return keys
        }
    }

    /// The service that `outbound|9080|v1|reviews.shop.svc.cluster.local` is a part of.
    private func service(ofCluster name: String) -> NamespacedName? {
        guard let host = name.split(separator: "|", omittingEmptySubsequences: false).last, name.hasPrefix("outbound|"),
            let service = HostName.service(String(host), from: .defaultMesh)
        else { return nil }
        return services[service] == nil ? nil : service
    }

    private func inboundServices(listening name: String) -> [NamespacedName] {
        services.filter { $0.value.inbound.values.contains { $0.listeners.contains { $0.name == name } } }.keys.sorted()
    }
}

extension IR.Route {
    /// Whether the message has the route's name or one of its regexes in it.
    fileprivate func isMentioned(in message: String) -> Bool {
        if origin != .service && message.contains(name) { return true }
        let conditions = match.headers + match.withoutHeaders + match.queryParams + match.cookies
        let texts =
            match.paths + conditions.map(\.match) + [match.method, match.scheme, match.authority].compactMap(\.self)
        return texts.contains { text in
            guard case .regex(let regex) = text else { return false }
            return message.contains(regex)
        }
    }
}

extension IR.Origin {
    fileprivate func key(of service: NamespacedName, in mesh: MeshKey) -> ObjectKey {
        switch self {
        case .service: .namespaced(.service, service, in: mesh)
        case .rules(let name, _, _): .namespaced(.virtualService, name, in: mesh)
        case .release(let name): .namespaced(.release, name, in: mesh)
        }
    }
}
