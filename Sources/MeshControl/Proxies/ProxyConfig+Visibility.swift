internal import Documents
internal import MeshCompiler
internal import MeshCore
internal import MeshModel

/// A sidecar is sent the whole mesh. Whoever has a key that is narrowed to some namespaces is shown what is about those.
extension ProxyConfig {
    /// - Parameter namespaces: the only ones that the reader may know of; empty: all.
    func visible(to namespaces: Set<Name>) -> ProxyConfig {
        guard !namespaces.isEmpty else { return self }
        var config = self
        for index in config.ofTypes.indices {
            config.ofTypes[index].sent = ofTypes[index].sent.compactMap { $0.visible(to: namespaces) }
            config.ofTypes[index].current = ofTypes[index].current.compactMap { $0.visible(to: namespaces) }
        }
        return config
    }
}

extension ProxyConfig.Resource {
    /// - Returns: `nil` if it is another namespace's.
    fileprivate func visible(to namespaces: Set<Name>) -> Self? {
        if let namespace = Self.namespace(of: name) { return namespaces.contains(namespace) ? self : nil }
        return Self(name: name, version: version) { [content] in Self.part(of: content(), about: namespaces) }
    }

    /// The namespace of the host that a resource or a virtual host is called after; `nil`: it is called after none.
    private static func namespace(of name: String) -> Name? {
        if let cluster = IR.ClusterName(name) { return cluster.host.namespace }
        let host = name.prefix { $0 != ":" }
        if let host = Host(unambiguous: String(host)) { return host.namespace }
        guard host.contains(".") else { return nil }
        return HostName.service(String(host), from: .defaultMesh)?.namespace
    }

    /// A route configuration without the virtual hosts of other namespaces' services.
    private static func part(of document: JSONValue, about namespaces: Set<Name>) -> JSONValue {
        guard case .object(var members) = document, let hosts = members["virtual_hosts"]?.arrayValue else {
            return document
        }
        members["virtual_hosts"] = .array(
            hosts.filter { host in
                guard let namespace = host["name"]?.stringValue.flatMap(namespace) else { return true }
                return namespaces.contains(namespace)
            })
        return .object(members)
    }
}
