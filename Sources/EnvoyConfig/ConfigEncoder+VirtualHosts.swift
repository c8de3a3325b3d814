internal import MeshCompiler
internal import MeshCore
package import MeshModel

/// A virtual host of a host, where it stands in the routes of those who call it.
package struct PlacedVirtualHost: Hashable, Sendable {
    package var host: Host
    package var port: Int
    /// The route configuration that has it, by name, and its place there.
    package var resource: String
    package var index: Int
    /// A route configuration of this name with it alone.
    package var alone: ConfigResource
}

extension ConfigEncoder {
    /// The virtual hosts of some hosts in a layer that has routes, in order.
    package func virtualHosts(of wanted: Set<Host>, in layer: LayerID) -> [PlacedVirtualHost] {
        switch layer {
        case .outbound(let namespace): outboundHosts(of: wanted, from: namespace)
        case .proxyless(let namespace): proxylessHosts(of: wanted, from: namespace)
        case .sidecar, .workload: []
        }
    }

    private func outboundHosts(of wanted: Set<Host>, from namespace: Name) -> [PlacedVirtualHost] {
        let taken = takenNames(from: namespace)
        var (placed, count): ([PlacedVirtualHost], Int) = ([], 0)
        for host in routed {
            guard let encoded = hosts[host], encoded.visibility.contains(namespace) else { continue }
            if wanted.contains(host) {
                for (offset, virtualHost) in encoded.virtualHosts.enumerated() {
                    let domains = virtualHost.domains(
                        forOwnNamespace: host.namespace == namespace, except: taken)
                    let bytes = MessageBytes([OutboundRoutes.head, virtualHost.part(domains: domains)]).bytes
                    placed.append(
                        PlacedVirtualHost(
                            host: host, port: virtualHost.port, resource: OutboundRoutes.name, index: count + offset,
                            alone: ConfigResource(name: OutboundRoutes.name, bytes: bytes)))
                }
            }
            count += encoded.virtualHosts.count
        }
        return placed
    }

    private func proxylessHosts(of wanted: Set<Host>, from namespace: Name) -> [PlacedVirtualHost] {
        let taken = takenNames(from: namespace)
        return wanted.sorted().flatMap { host -> [PlacedVirtualHost] in
            guard let encoded = hosts[host], encoded.visibility.contains(namespace), !encoded.proxylessClusters.isEmpty
            else { return [] }
            return encoded.virtualHosts.map { virtualHost in
                let routes = ProxylessTarget(virtualHost, from: namespace, except: taken).routes
                return PlacedVirtualHost(
                    host: host, port: virtualHost.port, resource: routes.name, index: 0, alone: routes)
            }
        }
    }
}
