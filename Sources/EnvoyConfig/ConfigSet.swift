package import MeshCore

/// The types of resources that are served, in the order in which a proxy must get them.
package enum ConfigType: String, CaseIterable, Sendable {
    case cluster = "type.googleapis.com/envoy.config.cluster.v3.Cluster"
    case endpoints = "type.googleapis.com/envoy.config.endpoint.v3.ClusterLoadAssignment"
    case listener = "type.googleapis.com/envoy.config.listener.v3.Listener"
    case routes = "type.googleapis.com/envoy.config.route.v3.RouteConfiguration"

    package var typeURL: String { rawValue }
}

/// A resource as it is sent: the name that proxies ask for and the serialized message.
package struct ConfigResource: Hashable, Sendable {
    package var name: String
    package var bytes: [UInt8]

    package init(name: String, bytes: [UInt8]) {
        self.name = name
        self.bytes = bytes
    }
}

/// Everything of one layer, by type, in the order of names.
package typealias ConfigSet = [ConfigType: [ConfigResource]]

/// The resources that differ in a layer.
package struct ResourceChange: Hashable, Sendable {
    /// New or changed.
    package var changed: [ConfigType: [ConfigResource]] = [:]
    package var removed: [ConfigType: [String]] = [:]

    package var isEmpty: Bool { changed.values.allSatisfy(\.isEmpty) && removed.values.allSatisfy(\.isEmpty) }
}

/// The identifier of a layer: a part of what proxies are served. Equal ones have equal resources.
package enum LayerID: Hashable, Sendable {
    /// Clusters, endpoints and routes for requests that leave a sidecar in this namespace.
    case outbound(namespace: Name)
    /// The listener on which sidecars take their workloads' requests to others, at this port on 127.0.0.1.
    case sidecar(httpProxyPort: Int)
    /// Listeners and clusters for what one sidecar lets in, for all services that have an endpoint behind it. Empty if its
    /// workload serves nobody.
    case workload(Workload)
    /// Everything for gRPC clients in this namespace that need no sidecar.
    case proxyless(namespace: Name)

    package struct Workload: Hashable, Sendable {
        package var namespace: Name
        /// The service that the sidecar was set up for; `nil` if it only calls others. What it lets in depends on the
        /// endpoints that name it, of whatever service.
        package var service: Name?
        /// The proxy's name.
        package var proxy: Name
        /// The port on 127.0.0.1 where the sidecar takes requests that its workload sends to others.
        package var httpProxyPort: Int

        package init(namespace: Name, service: Name?, proxy: Name, httpProxyPort: Int) {
            self.namespace = namespace
            self.service = service
            self.proxy = proxy
            self.httpProxyPort = httpProxyPort
        }

        var name: NamespacedName { NamespacedName(namespace: namespace, name: proxy) }
    }
}
