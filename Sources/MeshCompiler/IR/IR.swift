package import MeshCore
package import MeshModel

/// The intermediate representation: what a mesh comes to before it takes Envoy's shape. All of it is plain values in a
/// fixed order, so equal meshes give equal representations.
package enum IR {
    /// The name of an outbound cluster: a port of a service, or of one version of it, as Istio names them:
    /// `outbound|9080|v1|reviews.shop.svc.cluster.local`, without version `outbound|9080||…`.
    ///
    /// Of a host that is no service's the name says whose it is, `outbound|443||shop/api.example.com`: another namespace may have
    /// one of the same name, and a rule's requests must never go there instead. (Istio's name is the same for all.)
    ///
    /// A name never changes its meaning: a promotion changes routes, not clusters.
    package struct ClusterName: Hashable, Comparable, Sendable, CustomStringConvertible {
        package let host: Host
        package let port: Int
        package let version: Name?
        package let text: String

        package init(host: Host, port: Int, version: Name?) {
            self.host = host
            self.port = port
            self.version = version
            text = "outbound|\(port)|\(version?.text ?? "")|\(host.unambiguous)"
        }

        /// Reads a name.
        ///
        /// - Returns: `nil` if no cluster is called so.
        package init?(_ text: String) {
            let parts = text.split(separator: "|", omittingEmptySubsequences: false)
            guard parts.count == 4, let port = Int(parts[1]), (1...65_535).contains(port),
                let host = Host(unambiguous: String(parts[3]))
            else { return nil }
            self.init(host: host, port: port, version: Name(String(parts[2])))
            guard self.text == text else { return nil }
        }

        package var description: String { text }
        package static func == (a: Self, b: Self) -> Bool { a.text == b.text }
        package static func < (a: Self, b: Self) -> Bool { a.text < b.text }
        package func hash(into hasher: inout Hasher) { hasher.combine(text) }
    }

    /// A group of endpoints that traffic can be sent to.
    package struct Cluster: Hashable, Sendable {
        package var name: ClusterName
        /// Whether connections to the endpoints speak HTTP/2.
        package var isHTTP2: Bool
        /// The traffic policy for the endpoints, as far as a destination rule gives one.
        package var policy: TrafficPolicy.Blocks
        /// The DNS names that the sidecar itself resolves; `nil`: the members come from ``Endpoints`` (EDS).
        package var names: Names?
    }

    /// Members that are names of DNS.
    package struct Names: Hashable, Sendable {
        /// The localities of the names, as in ``Endpoints``.
        package var localities: [Locality]
        /// Whether each new connection goes to the first address of the one name's answer, instead of all being members.
        package var isFirstOnly: Bool
    }

    /// The namespaces whose workloads see a host.
    package enum Visibility: Hashable, Sendable {
        case only(Set<Name>)
        case all(but: Set<Name>)

        package static let everybody = Visibility.all(but: [])

        package func contains(_ namespace: Name) -> Bool {
            switch self {
            case .only(let namespaces): namespaces.contains(namespace)
            case .all(let others): !others.contains(namespace)
            }
        }
    }

    /// The endpoints of a cluster, by address.
    package struct Endpoints: Hashable, Sendable {
        package var cluster: ClusterName
        /// By locality, sorted; none is empty.
        package var localities: [Locality]
    }

    package struct Locality: Hashable, Sendable {
        /// Region, zone and subzone, as far as they are known; the unknown locality is empty.
        package var path: [String]
        /// Sorted by address, then port; no two are equal in both.
        package var endpoints: [Endpoint]

        /// - Parameters:
        ///   - endpoints: by locality, as documents have it; no two are one place.
        /// - Returns: sorted.
        static func all(_ endpoints: [(locality: String, endpoint: Endpoint)]) -> [Locality] {
            var groups: [String: [Endpoint]] = [:]
            for (locality, endpoint) in endpoints { groups[known(locality), default: []].append(endpoint) }
            return groups.sorted { $0.key < $1.key }.map { locality, endpoints in
                Locality(
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

        /// The sum of the weights of the endpoints that get new requests, at least 1: Envoy refuses 0
        /// (`LocalityLbEndpoints.load_balancing_weight`).
        package var weight: Int { max(1, endpoints.reduce(0) { $0 + ($1.isDraining ? 0 : $1.weight) }) }
    }

    package struct Endpoint: Hashable, Sendable {
        package var address: String
        package var port: Int
        package var weight: Int
        /// Gets no new requests; those under way end.
        package var isDraining: Bool
    }

    /// An inbound listener: a port on which a sidecar takes requests and hands them to its workload.
    package struct Inbound: Hashable, Sendable {
        package var service: NamespacedName
        /// The endpoint that says so.
        package var endpoint: Name
        /// The proxy that listens; in the service's namespace.
        package var proxy: Name
        package var port: ServiceSpec.Port
        /// The address that callers connect to.
        package var address: String
        package var listenPort: Int
        /// The port on which the workload listens, on 127.0.0.1.
        package var workloadPort: Int

        /// The address and port that a proxy listens on, which it can do for one endpoint only.
        struct Place: Hashable {
            var proxy: Name
            var address: String
            var listenPort: Int
        }

        var place: Place { Place(proxy: proxy, address: address, listenPort: listenPort) }

        /// Whether both do the same with what they let in.
        func serves(_ other: Inbound) -> Bool {
            workloadPort == other.workloadPort && port.appProtocol == other.port.appProtocol
        }
    }
}
