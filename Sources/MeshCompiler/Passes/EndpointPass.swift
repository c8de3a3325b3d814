internal import Documents
internal import MeshCore
internal import MeshModel

/// The endpoints of a host become the members of its clusters.
enum EndpointPass: Pass {
    static func run(_ host: Host, _ view: inout MeshView, _ diagnostics: inout [Diagnostic]) -> [IR.Endpoints]? {
        switch host {
        case .service(let name): return members(of: name, &view, &diagnostics)
        case .external:
            guard let definition = view.definition(of: host)?.host, case .addresses = definition.members else {
                return nil
            }
            return definition.ports.map { port in
                IR.Endpoints(
                    cluster: IR.ClusterName(host: host, port: port.number, version: nil),
                    localities: definition.localities(of: port))
            }
        }
    }

    private static func members(
        of name: NamespacedName, _ view: inout MeshView, _ diagnostics: inout [Diagnostic]
    ) -> [IR.Endpoints]? {
        let endpoints = view.children(EndpointSpec.self, of: name)
        guard let spec = view.service(.service(name))?.spec else {
            diagnostics += endpoints.keys.sorted().map {
                Diagnostic(
                    .endpoint($0, of: name, in: view.mesh), .root, .unknownReference, "there is no service \(name)")
            }
            return nil
        }
        let unservedPorts = view.unservedPorts(of: name)
        let members = ServiceMembers(mesh: view.mesh, name: name, spec: spec)
        let clusters = members.endpoints(
            endpoints, on: view.enabledClusters,
            except: Set(unservedPorts.map { ServiceMembers.Part(endpoint: $0.endpoint, port: $0.port) }),
            diagnostics: &diagnostics)
        diagnostics += unservedPorts.map { port in
            Diagnostic(
                .endpoint(port.endpoint, of: name, in: view.mesh), port.pointer, .duplicateAddress,
                port.detail,
                other: .endpoint(port.holder.endpoint, of: port.holder.service, in: view.mesh))
        }
        return clusters
    }
}

/// The members of a service's clusters.
private struct ServiceMembers {
    let mesh: MeshKey
    let name: NamespacedName
    let spec: ServiceSpec

    /// An endpoint as far as one port goes.
    struct Part: Hashable {
        var endpoint: Name
        /// The port's name.
        var port: Name
    }

    /// Endpoints that requests may go to or are still under way at: those on enabled clusters that are not unhealthy. Of several
    /// at one address the one that was there first counts.
    ///
    /// - Parameter refused: what no sidecar listens for.
    func endpoints(
        _ all: [Name: MeshState.Endpoint], on enabled: Set<Name>, except refused: Set<Part>,
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
            spec.clusterNames(of: port, .service(name)).map { cluster in
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
        var found: [(locality: String, endpoint: IR.Endpoint)] = []
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
            let endpoint = IR.Endpoint(
                address: member.address, port: number, weight: member.weight, isDraining: member.health == .draining)
            found.append((member.locality, endpoint))
        }
        return IR.Locality.all(found)
    }
}

extension DefinedHost {
    /// The members of a cluster of one port.
    func localities(of port: ServiceSpec.Port) -> [IR.Locality] {
        let members =
            switch members {
            case .addresses(let members): members
            case .names(let members, _): members
            }
        return IR.Locality.all(
            members.map { member in
                let endpoint = IR.Endpoint(
                    address: member.address, port: member.ports[port.name] ?? port.number, weight: member.weight,
                    isDraining: false)
                return (member.locality, endpoint)
            })
    }
}
