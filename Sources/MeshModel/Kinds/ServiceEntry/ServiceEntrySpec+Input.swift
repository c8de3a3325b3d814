internal import Documents
package import MeshCore

extension ServiceEntrySpec {
    package static let definesHosts = true

    /// The hosts that the entry defines.
    package static func input(_ spec: Self, of object: StoredObject, in mesh: MeshKey) -> [DefinedHost]? {
        object.key.namespace.map { spec.definitions(in: $0, createTime: object.createTime) }
    }

    package func definitions(in namespace: Name, createTime: Timestamp) -> [DefinedHost] {
        hosts.enumerated().map { index, host in
            DefinedHost(
                host, at: .spec.appending("hosts").appending(index),
                ports: ports.map {
                    ServiceSpec.Port(name: $0.name, number: $0.number, appProtocol: $0.appProtocol.meaning)
                }, members: members(of: host), export: export(from: namespace), createTime: createTime,
                idle: idle)
        }
    }

    private var idle: [JSONPointer: String] {
        guard location == .internal else { return [:] }
        return [.spec.appending("location"): "sidecars encrypt nothing, so it makes no difference where a host is"]
    }

    package static func definitions(_ input: [DefinedHost]) -> [DefinedHost] { input }

    package func export(from namespace: Name) -> DefinedHost.Export {
        if exportTo.isEmpty || exportTo.contains("*") { return .everybody }
        return .namespaces(Set(exportTo.compactMap { $0 == "." ? namespace : Name($0) }))
    }

    private func members(of host: String) -> DefinedHost.Members {
        let members = endpoints.map { endpoint in
            DefinedHost.Member(
                address: HostName.relative(endpoint.address), ports: ports(of: endpoint), weight: endpoint.weight,
                locality: endpoint.locality)
        }
        guard resolution != .endpoints else { return .addresses(members) }
        let own = DefinedHost.Member(address: host, ports: ports(of: Endpoint()), weight: 1, locality: "")
        return .names(members.isEmpty ? [own] : members, first: resolution == .firstOfDNS)
    }

    private func ports(of endpoint: Endpoint) -> [Name: Int] {
        ports.reduce(into: [:]) { $0[$1.name] = endpoint.ports[$1.name] ?? $1.targetPort }
    }
}

extension ServiceEntrySpec.AppProtocol {
    fileprivate var meaning: ServiceSpec.AppProtocol {
        switch self {
        case .http: .http
        case .http2: .http2
        case .grpc: .grpc
        }
    }
}
