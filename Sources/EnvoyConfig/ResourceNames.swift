package import MeshCore
internal import MeshCompiler
internal import MeshModel

/// The meaning of resources' names, for those who know only names.
package enum ResourceNames {
    /// The service whose requests a cluster, or its endpoints, takes: `outbound|9080|v1|reviews.shop.svc.cluster.local`.
    ///
    /// - Returns: `nil` for clusters of other kinds.
    package static func service(ofCluster name: String) -> NamespacedName? {
        IR.ClusterName(name)?.host.service
    }

    /// The hosts whose routes a route configuration has.
    package enum Routes: Hashable, Sendable {
        /// The routes of all hosts.
        case all
        /// The routes of one host, for gRPC clients: `reviews.shop:9080`.
        case of(NamespacedName)
    }

    /// - Returns: `nil` for a name that no route configuration has.
    package static func routes(in name: String) -> Routes? {
        if name == OutboundRoutes.name { return .all }
        let parts = name.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count == 2, parts[0].contains(".") else { return nil }
        return HostName.service(String(parts[0]), from: .defaultMesh).map(Routes.of)
    }
}
