internal import MeshCore
internal import MeshModel

/// How callers name a host.
extension Host {
    /// For sidecars' callers, from the host's own namespace or from others. No two services share one: the number of labels and
    /// the namespace tell them apart. What a namespace calls another host by is none of a service's there.
    func domains(forOwnNamespace isOwn: Bool) -> [String] {
        switch self {
        case .service(let service):
            (isOwn ? [service.name.text] : []) + [short(service), "\(short(service)).svc", text]
        case .external: [text]
        }
    }

    /// For gRPC clients' targets.
    ///
    /// - Parameter taken: names by which the namespace means other hosts.
    func targets(from namespace: Name, except taken: Set<String>) -> [String] {
        targets(from: namespace).filter { !taken.contains($0) || $0 == text }
    }

    private func targets(from namespace: Name) -> [String] {
        switch self {
        case .service(let service):
            (service.namespace == namespace ? [service.name.text] : []) + [short(service), text]
        case .external: [text]
        }
    }

    /// The name after which route configurations for gRPC clients are named: `reviews.shop`, `shop/api.example.com`.
    var routesName: String {
        switch self {
        case .service(let service): short(service)
        case .external: unambiguous
        }
    }

    /// Whether it is none's, and has a name as a service could have.
    var isNamedAsService: Bool {
        guard case .external(let text, let namespace) = self else { return false }
        return HostName.service(text, from: namespace) != nil
    }

    private func short(_ service: NamespacedName) -> String { "\(service.name).\(service.namespace)" }
}
