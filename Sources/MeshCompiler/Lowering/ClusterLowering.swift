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
        // The whole service and each version, and ports with one number, meet the same ones.
        var duplicates: [Diagnostic] = []
        defer {
            var known: Set<Diagnostic> = []
            diagnostics += duplicates.filter { known.insert($0).inserted }
        }
        return spec.ports.flatMap { port in
            clusterNames(of: port).map { cluster in
                let inCluster = members.filter { cluster.version == nil || $0.value.version == cluster.version }
                return IR.Endpoints(
                    cluster: cluster, localities: localities(inCluster, port: port, duplicates: &duplicates))
            }
        }
    }

    private func localities(
        _ members: [(key: Name, value: EndpointSpec)], port: ServiceSpec.Port, duplicates: inout [Diagnostic]
    ) -> [IR.Locality] {
        var groups: [String: [IR.Endpoint]] = [:]
        var seen: Set<String> = []
        for (endpoint, member) in members {
            let number = member.ports[port.name] ?? port.number
            guard seen.insert("\(member.address) \(number)").inserted else {
                duplicates.append(
                    Diagnostic(
                        .endpoint(endpoint, of: name, in: mesh), .spec.appending("address"), .duplicateAddress,
                        "another endpoint of service \(name) has the address \(member.address) and port \(number) too"))
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
        var places: [IR.Inbound.Place: IR.Inbound] = [:]
        var workloads: Set<Workload> = []
        for (endpoint, member) in all.sorted(by: { $0.key < $1.key }) where enabled.contains(member.cluster) {
            guard let sidecar = member.sidecar else { continue }
            for port in spec.ports {
                guard let workloadPort = sidecar.workloadPorts[port.name] else { continue }
                let one = IR.Inbound(
                    service: name, endpoint: endpoint, proxy: sidecar.proxy, port: port, address: member.address,
                    listenPort: member.ports[port.name] ?? port.number, workloadPort: workloadPort)
                // Names of inbound clusters have only service and port in them, so a proxy has one workload for each.
                let workload = Workload(proxy: one.proxy, port: port.number)
                if workloads.contains(workload) {
                    report(
                        one, "sidecar", "proxy", &diagnostics,
                        "proxy \(sidecar.proxy) already stands in front of port \(port.name) of another endpoint")
                } else if let other = places[one.place] {
                    report(
                        one, "ports", port.name.text, &diagnostics,
                        "proxy \(sidecar.proxy) already listens at \(one.place) for port \(other.port.name)")
                } else {
                    workloads.insert(workload)
                    places[one.place] = one
                    inbound.append(one)
                }
            }
        }
        return inbound.sorted { ($0.proxy, $0.port.number) < ($1.proxy, $1.port.number) }
    }

    /// Leaves out what a sidecar already lets in for another service at the same place.
    ///
    /// - Parameter others: what services let in that go before this one.
    func without(
        _ others: [IR.Inbound], _ inbound: [IR.Inbound], diagnostics: inout [Diagnostic]
    ) -> [IR.Inbound] {
        guard !others.isEmpty else { return inbound }
        let places = Dictionary(others.map { ($0.place, $0) }) { first, _ in first }
        return inbound.filter { one in
            guard let other = places[one.place] else { return true }
            // Several services with the same instances, such as one for all versions and one for each: one listener is right
            // for all of them.
            if !other.serves(one) {
                report(
                    one, "ports", one.port.name.text, &diagnostics,
                    "proxy \(one.proxy) already listens at \(one.place) for port \(other.port.name) of service \(other.service), which is not handed on in the same way"
                )
            }
            return false
        }
    }

    private func report(
        _ inbound: IR.Inbound, _ field: String, _ member: String, _ diagnostics: inout [Diagnostic], _ detail: String
    ) {
        diagnostics.append(
            Diagnostic(
                .endpoint(inbound.endpoint, of: name, in: mesh), JSONPointer(["spec", field, member]),
                .duplicateAddress, detail))
    }
}

/// What a sidecar can hand requests for one port of a service to.
private struct Workload: Hashable {
    var proxy: Name
    var port: Int
}

extension IR.Inbound.Place: CustomStringConvertible {
    var description: String { "\(address), port \(listenPort)" }
}
