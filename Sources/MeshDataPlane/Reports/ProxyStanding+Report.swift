internal import EnvoyConfig
internal import MeshCore
internal import MeshStore
internal import XDSServer

extension ProxyStanding {
    /// The standing that a stream reports, in the words of the mesh instead of names of resources.
    ///
    /// A stream has no state of its own for releases: it says how far it is with everything, and names the few resources that
    /// it refused. So a release costs a stream nothing, and is exact all the same, because a service's resources are known by
    /// their names.
    init(_ report: ProxyReport) {
        self.init(
            firstRevision: report.firstRevision, answeredRevision: report.answeredRevision,
            routed: Self.routed(report.routes), refused: Set(report.types.flatMap(Self.refused)), peer: report.peer)
    }

    private static func routed(_ names: [String]?) -> [NamespacedName]? {
        var services: Set<NamespacedName> = []
        for name in names ?? [] {
            switch ResourceNames.routes(in: name) {
            case .all: return nil
            case .of(let service): services.insert(service)
            case nil: continue
            }
        }
        return names.map { _ in services.sorted() }
    }

    private static func refused(_ type: TypeReport) -> [RefusedPart] {
        switch (type.type, type.lacking) {
        case (.cluster, nil), (.endpoint, nil), (.route, nil): return [.everything]
        case (.cluster, let names?), (.endpoint, let names?):
            return names.compactMap(ResourceNames.service).map(RefusedPart.clusters)
        case (.route, let names?):
            return names.compactMap { name in
                switch ResourceNames.routes(in: name) {
                case .all: .everything
                case .of(let service): .routes(of: service)
                case nil: nil
                }
            }
        default: return []
        }
    }
}
