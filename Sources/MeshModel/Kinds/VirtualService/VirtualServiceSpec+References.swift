package import Documents
package import MeshCore

extension VirtualServiceSpec {
    /// The services whose requests the rules decide about, which takes the right to where they are, and those that requests, or
    /// copies of them, are sent to.
    package static func references(_ spec: VirtualServiceSpec, of key: ObjectKey) -> [Reference] {
        guard let namespace = key.namespace, let mesh = key.meshKey else { return [] }
        func service(_ name: NamespacedName) -> ObjectKey { .namespaced(.service, name, in: mesh) }
        let own = spec.hosts.map { HostName.service($0, from: namespace) }
        let hosts = own.enumerated().compactMap { index, host in
            host.map {
                Reference(to: service($0), at: .spec.appending("hosts").appending(index), .weak, right: .write)
            }
        }
        return hosts
            + spec.places.flatMap { pointer, destination -> [Reference] in
                let named = HostName.service(destination.host, from: namespace)
                let subset = destination.subset
                guard let version = Self.earlyVersion(destination) else {
                    return named.map { [Reference(to: service($0), subset.map { .subset($0) }, at: pointer, .strong)] }
                        ?? []
                }
                let others = Set(own.compactMap(\.self)).filter { $0 != named }.sorted()
                let meant = others.map { Reference(to: service($0), .subset(version), at: pointer, .possible) }
                return
                    (named.map { [Reference(to: service($0), at: pointer, others.isEmpty ? .strong : .possible)] } ?? [])
                    + meant
            }
    }

    /// A place where a rule sends requests, or copies of them, to a service.
    package struct Use: Hashable, Sendable {
        /// To the destination, for example `/spec/http/0/route/1/destination`.
        package var pointer: JSONPointer
        /// `nil`: the service, whatever that means at the time.
        package var version: Name?
    }

    /// The places in which rules send requests to a service.
    ///
    /// - Parameter namespace: of the VirtualService.
    package func uses(of service: NamespacedName, from namespace: Name) -> [Use] {
        let isOwn = hosts.contains { HostName.service($0, from: namespace) == service }
        return places.compactMap { pointer, destination in
            if HostName.service(destination.host, from: namespace) == service {
                return Use(pointer: pointer, version: destination.subset)
            }
            guard isOwn, let version = Self.earlyVersion(destination) else { return nil }
            return Use(pointer: pointer, version: version)
        }
    }

    /// The early spelling: a version of one of the rules' own hosts stands in the host's place.
    private static func earlyVersion(_ destination: Destination) -> Name? {
        destination.subset == nil ? Name(destination.host) : nil
    }

    package var places: [(pointer: JSONPointer, destination: Destination)] {
        http.enumerated().flatMap { index, rule -> [(JSONPointer, Destination)] in
            let here = JSONPointer.spec.appending("http").appending(index)
            var destinations: [(JSONPointer, Destination)] = []
            if case .route(let parts) = rule.action {
                destinations = parts.enumerated().map {
                    (here.appending("route").appending($0).appending("destination"), $1.destination)
                }
            }
            if let mirror = rule.mirror { destinations.append((here.appending("mirror"), mirror.destination)) }
            return destinations
        }
    }
}

extension VirtualServiceSpec {
    /// The services that its rules send requests and copies of them to, whether they exist or not.
    ///
    /// - Parameter namespace: its own.
    package func destinations(from namespace: Name) -> Set<NamespacedName> {
        Set(destinationHosts.compactMap { HostName.service($0, from: namespace) })
    }

    /// Every text by which requests or copies of them are sent somewhere.
    package var destinationHosts: [String] { places.map(\.destination.host) }
}
