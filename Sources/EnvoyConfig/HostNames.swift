internal import MeshCore
internal import MeshModel

/// How callers name a host.
extension Host {
    /// For sidecars' callers, from the host's own namespace or from others. No two hosts share one: the number of labels and the
    /// namespace tell them apart.
    func domains(forOwnNamespace isOwn: Bool) -> [String] {
        switch self {
        case .service(let service):
            (isOwn ? [service.name.text] : []) + [qualified, "\(qualified).svc", text]
        }
    }

    /// For gRPC clients' targets.
    func targets(from namespace: Name) -> [String] {
        switch self {
        case .service(let service): (service.namespace == namespace ? [service.name.text] : []) + [qualified, text]
        }
    }

    /// Short, and the same from everywhere: `reviews.shop`.
    var qualified: String {
        switch self {
        case .service(let service): "\(service.name).\(service.namespace)"
        }
    }
}
