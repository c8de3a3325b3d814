package import Documents
package import MeshCore

extension VirtualServiceSpec {
    /// A place where a rule sends requests, or copies of them, to a service.
    package struct Use: Hashable, Sendable {
        /// To the destination, for example `/spec/http/0/route/1/destination`.
        package var pointer: JSONPointer
        /// `nil`: the service, whatever that means at the time.
        package var version: Name?
    }

    /// Where the rules send requests to a service.
    ///
    /// - Parameter namespace: of the VirtualService.
    package func uses(of service: NamespacedName, from namespace: Name) -> [Use] {
        let isOwn = hosts.contains { HostName.service($0, from: namespace) == service }
        return http.enumerated().flatMap { index, rule -> [Use] in
            let here = JSONPointer(["spec", "http"]).appending(index)
            var destinations: [(pointer: JSONPointer, destination: Destination)] = []
            if case .route(let parts) = rule.action {
                destinations = parts.enumerated().map {
                    (here.appending("route").appending($0).appending("destination"), $1.destination)
                }
            }
            if let mirror = rule.mirror { destinations.append((here.appending("mirror"), mirror.destination)) }
            return destinations.compactMap { pointer, destination in
                if HostName.service(destination.host, from: namespace) == service {
                    return Use(pointer: pointer, version: destination.subset)
                }
                // The early spelling: a version of the rules' own host stands in the host's place.
                guard isOwn, destination.subset == nil, let version = Name(destination.host) else { return nil }
                return Use(pointer: pointer, version: version)
            }
        }
    }
}
