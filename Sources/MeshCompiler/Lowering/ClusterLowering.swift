internal import Documents
internal import MeshCore
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

    /// Endpoints that requests may go to or are still under way at: those on enabled clusters that are not unhealthy. Of several
    /// at one address the one that was there first counts.
    ///
    /// - Parameter refused: what no sidecar listens for.
    func endpoints(
        _ all: [Name: MeshState.Endpoint], on enabled: Set<Name>, except refused: Set<InboundLowering.Part>,
        diagnostics: inout [Diagnostic]
    ) -> [IR.Endpoints] {
        let members = all.filter { enabled.contains($0.value.spec.cluster) && $0.value.spec.health != .unhealthy }
            .sorted {
                ($0.value.spec.address, $0.value.createTime, $0.key)
                    < ($1.value.spec.address, $1.value.createTime, $1.key)
            }.map { (key: $0.key, value: $0.value.spec) }
        for (endpoint, member) in members {
            guard let version = member.version, !spec.hasVersion(version) else { continue }
            diagnostics.append(
                Diagnostic(
                    .endpoint(endpoint, of: name, in: mesh), .spec.appending("version"), .unknownReference,
                    "service \(name) has no version \(version); the endpoint only gets requests to the whole service"))
        }
        // The whole service and each version, and ports with one number, meet the same ones.
        var duplicates: [Diagnostic] = []
        defer {
            var known: Set<Diagnostic> = []
            diagnostics += duplicates.filter { known.insert($0).inserted }
        }
        return spec.ports.flatMap { port in
            clusterNames(of: port).map { cluster in
                let inCluster = members.filter { endpoint, member in
                    (cluster.version == nil || member.version == cluster.version)
                        && !refused.contains(.init(endpoint: endpoint, port: port.name))
                }
                return IR.Endpoints(
                    cluster: cluster, localities: localities(inCluster, port: port, duplicates: &duplicates))
            }
        }
    }

    private func localities(
        _ members: [(key: Name, value: EndpointSpec)], port: ServiceSpec.Port, duplicates: inout [Diagnostic]
    ) -> [IR.Locality] {
        var groups: [String: [IR.Endpoint]] = [:]
        var seen: [String: Name] = [:]
        for (endpoint, member) in members {
            let number = member.ports[port.name] ?? port.number
            let place = "\(member.address) \(number)"
            if let first = seen[place] {
                duplicates.append(
                    Diagnostic(
                        .endpoint(endpoint, of: name, in: mesh), .spec.appending("address"), .duplicateAddress,
                        "endpoint \(first) of service \(name) has the address \(member.address) and port \(number) too: the two count once, as that one says",
                        other: .endpoint(first, of: name, in: mesh)))
                continue
            }
            seen[place] = endpoint
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
}
