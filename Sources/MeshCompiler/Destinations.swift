internal import MeshCore
internal import MeshModel

/// A destination of a rule that exists. The port is looked up separately because it may depend on the one that was called.
struct DestinationTarget {
    var host: Host
    var service: MeshState.Service
    var version: Name?

    /// - Parameter called: the port of the host that the request was sent to; `nil` if it is not known yet.
    func port(of destination: Destination, called: Int?) throws(UnknownDestination) -> Int {
        let ports = service.spec.ports.filter(\.appProtocol.isHTTP).map(\.number)
        if let port = destination.port {
            if ports.contains(port) { return port }
            let isThere = service.spec.port(port) != nil
            throw UnknownDestination(
                field: ["port", "number"],
                detail: isThere
                    ? "port \(port) of \(host.noun) \(host) is not an HTTP port"
                    : "\(host.noun) \(host) has no port \(port)",
                choices: ports.map { String($0) })
        }
        if let called, ports.contains(called) { return called }
        if let port = ports.first, ports.count == 1 || called == nil { return port }
        guard !ports.isEmpty else {
            throw UnknownDestination(field: ["host"], detail: "\(host.noun) \(host) has no HTTP port", choices: [])
        }
        throw UnknownDestination(
            field: [], detail: "\(host.noun) \(host) has several ports; the destination must say which one",
            choices: ports.map { String($0) })
    }
}

/// A destination of a rule that does not exist: which of its fields is wrong, why, and what there is.
struct UnknownDestination: Error {
    /// The path of a field that the destination has; empty: it lacks one.
    var field: [String]
    var detail: String
    var choices: [String]
}

extension MeshNames {
    /// The host and version that a destination means.
    ///
    /// - Parameters:
    ///   - own: the host whose rules these are. A text that names no host may be one of its versions: the early v1alpha3
    ///     spelling.
    ///   - namespace: of the rule.
    mutating func target(
        of destination: Destination, own: Host?, from namespace: Name
    ) throws(UnknownDestination) -> DestinationTarget {
        guard let host = host(destination.host, from: namespace) else {
            throw UnknownDestination(field: ["host"], detail: HostName.rule, choices: [])
        }
        guard let service = service(host) else {
            if let target = ownVersion(destination, own: own) { return target }
            throw UnknownDestination(
                field: ["host"], detail: host.absence(named: destination.host),
                choices: hosts(in: host.namespace, from: namespace))
        }
        guard let subset = destination.subset else {
            return DestinationTarget(host: host, service: service, version: nil)
        }
        let declared = subsets(of: host)
        let version = declared.first { $0.name == subset }?.version(in: service.spec)
        guard let version = version ?? (service.spec.hasVersion(subset) ? subset : nil) else {
            let names = service.spec.versions.map(\.name) + declared.map(\.name)
            throw UnknownDestination(
                field: ["subset"], detail: "\(host.noun) \(host) has no version or subset \(subset)",
                choices: Set(names.map(\.text)).sorted())
        }
        return DestinationTarget(host: host, service: service, version: version)
    }

    private mutating func ownVersion(_ destination: Destination, own: Host?) -> DestinationTarget? {
        guard destination.subset == nil, let version = Name(destination.host), let own, let service = service(own),
            service.spec.hasVersion(version)
        else { return nil }
        return DestinationTarget(host: own, service: service, version: version)
    }
}
