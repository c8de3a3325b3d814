internal import MeshModel

/// Ports and versions of a service become clusters; its endpoints become their members.
struct ClusterLowering {
    let mesh: MeshKey
    let name: NamespacedName
    let spec: ServiceSpec

    /// Every port, first as a whole and then version by version, in the order of the service.
    func clusters(_ policies: PolicyLowering) -> [IR.Cluster] {
        spec.ports.flatMap { port in
            clusterNames(of: port).map {
                IR.Cluster(name: $0, isHTTP2: port.appProtocol.isHTTP2, policy: policies.policy(of: $0))
            }
        }
    }

    private func clusterNames(of port: ServiceSpec.Port) -> [IR.ClusterName] {
        [IR.ClusterName(service: name, port: port.number, version: nil)]
            + spec.versions.map { IR.ClusterName(service: name, port: port.number, version: $0.name) }
    }

    /// Endpoints that requests may go to or are still under way at: those on enabled clusters that are not unhealthy.
    func endpoints(
        _ all: [Name: EndpointSpec], on enabled: Set<Name>, diagnostics: inout [Diagnostic]
    ) -> [IR.Endpoints] {
        let members = all.filter { enabled.contains($0.value.cluster) && $0.value.health != .unhealthy }
            .sorted { ($0.value.address, $0.key) < ($1.value.address, $1.key) }
        for (endpoint, member) in members {
            guard let version = member.version, !spec.hasVersion(version) else { continue }
            diagnostics.append(
                Diagnostic(
                    .endpoint(endpoint, of: name, in: mesh), .spec.appending("version"), .unknownReference,
                    "service \(name) has no version \(version); the endpoint only gets requests to the whole service"))
        }
        return spec.ports.flatMap { port in
            clusterNames(of: port).map { cluster in
                let inCluster = members.filter { cluster.version == nil || $0.value.version == cluster.version }
                return IR.Endpoints(
                    cluster: cluster, localities: localities(inCluster, port: port, diagnostics: &diagnostics))
            }
        }
    }

    private func localities(
        _ members: [(key: Name, value: EndpointSpec)], port: ServiceSpec.Port, diagnostics: inout [Diagnostic]
    ) -> [IR.Locality] {
        var groups: [String: [IR.Endpoint]] = [:]
        var seen: Set<String> = []
        for (endpoint, member) in members {
            let number = member.ports[port.name] ?? port.number
            guard seen.insert("\(member.address) \(number)").inserted else {
                let diagnostic = Diagnostic(
                    .endpoint(endpoint, of: name, in: mesh), .spec.appending("address"), .duplicateAddress,
                    "another endpoint of service \(name) has the address \(member.address) and port \(number) too")
                if !diagnostics.contains(diagnostic) { diagnostics.append(diagnostic) }
                continue
            }
            groups[Self.known(member.locality), default: []].append(
                IR.Endpoint(
                    address: member.address, port: number, weight: member.weight,
                    isDraining: member.health == .draining))
        }
        return groups.sorted { $0.key < $1.key }.map { locality, endpoints in
            IR.Locality(
                path: locality.split(separator: "/", omittingEmptySubsequences: false).map { String($0) },
                endpoints: endpoints.sorted { ($0.address, $0.port) < ($1.address, $1.port) })
        }
    }

    /// Without the empty end of `region/`: clients that are sent a locality twice refuse both.
    private static func known(_ locality: String) -> String {
        var known = locality[...]
        while known.last == "/" { known.removeLast() }
        return String(known)
    }

    /// What the sidecars in front of the service's instances let in, whatever their health: an instance that drains still
    /// answers what it was sent.
    func inbound(
        _ all: [Name: EndpointSpec], on enabled: Set<Name>, diagnostics: inout [Diagnostic]
    ) -> [IR.Inbound] {
        var inbound: [IR.Inbound] = []
        var taken: Set<String> = []
        for (endpoint, member) in all.sorted(by: { $0.key < $1.key }) where enabled.contains(member.cluster) {
            guard let sidecar = member.sidecar else { continue }
            for port in spec.ports {
                guard let workloadPort = sidecar.workloadPorts[port.name] else { continue }
                // Names of inbound clusters have only the port in them, so a proxy has one workload a port.
                guard taken.insert("\(sidecar.proxy) \(port.number)").inserted else {
                    diagnostics.append(
                        Diagnostic(
                            .endpoint(endpoint, of: name, in: mesh), JSONPointer(["spec", "sidecar", "proxy"]),
                            .duplicateAddress,
                            "proxy \(sidecar.proxy) already stands in front of port \(port.name) of another endpoint"))
                    continue
                }
                inbound.append(
                    IR.Inbound(
                        service: name, proxy: sidecar.proxy, port: port, address: member.address,
                        listenPort: member.ports[port.name] ?? port.number, workloadPort: workloadPort))
            }
        }
        return inbound.sorted { ($0.proxy, $0.port.number) < ($1.proxy, $1.port.number) }
    }
}
