internal import MeshCore
internal import MeshModel

/// Looks up what a rule's destination means among the services that there are.
struct DestinationResolver {
    let services: Table<MeshState.Service>
    /// The namespace of the rule: short names are looked up there.
    let namespace: Name
    /// The subsets that the destination rule in force has for a service.
    let subsets: (NamespacedName) -> [DestinationRuleSpec.Subset]

    /// - Parameter subsets: where only versions may be named, none.
    init(
        services: Table<MeshState.Service>, namespace: Name,
        subsets: @escaping (NamespacedName) -> [DestinationRuleSpec.Subset] = { _ in [] }
    ) {
        self.services = services
        self.namespace = namespace
        self.subsets = subsets
    }

    /// A destination that exists. The port is looked up separately because it may depend on the one that was called.
    struct Target {
        var name: NamespacedName
        var service: MeshState.Service
        var version: Name?
    }

    /// A destination that does not: which of its fields is wrong, why, and what there is.
    struct Unknown: Error {
        var field: [String]
        var detail: String
        var choices: [String]
    }

    /// - Parameter own: the service whose rules these are. A host that names no service may be one of its versions: the
    ///   early v1alpha3 spelling.
    func target(of destination: Destination, own: NamespacedName?) throws(Unknown) -> Target {
        guard let name = HostName.service(destination.host, from: namespace) else {
            throw Unknown(field: ["host"], detail: HostName.rule, choices: [])
        }
        guard let service = services[name] else {
            if let target = ownVersion(destination, own: own) { return target }
            throw Unknown(
                field: ["host"], detail: "there is no service \(name.name) in namespace \(name.namespace)",
                choices: hosts(in: name.namespace))
        }
        guard let subset = destination.subset else { return Target(name: name, service: service, version: nil) }
        let declared = subsets(name)
        let version = declared.first { $0.name == subset }?.version(in: service.spec)
        guard let version = version ?? (service.spec.hasVersion(subset) ? subset : nil) else {
            let names = service.spec.versions.map(\.name) + declared.map(\.name)
            throw Unknown(
                field: ["subset"], detail: "service \(name) has no version or subset \(subset)",
                choices: Set(names.map(\.text)).sorted())
        }
        return Target(name: name, service: service, version: version)
    }

    func ownVersion(_ destination: Destination, own: NamespacedName?) -> Target? {
        guard destination.subset == nil, let version = Name(destination.host), let own, let service = services[own],
            service.spec.hasVersion(version)
        else { return nil }
        return Target(name: own, service: service, version: version)
    }

    /// - Parameter called: the port of the service that the request was sent to; `nil` if it is not known yet.
    func port(of destination: Destination, at target: Target, called: Int?) throws(Unknown) -> Int {
        let ports = target.service.spec.ports.filter(\.appProtocol.isHTTP).map(\.number)
        if let port = destination.port {
            if ports.contains(port) { return port }
            let isThere = target.service.spec.port(port) != nil
            throw Unknown(
                field: ["port", "number"],
                detail: isThere
                    ? "port \(port) of service \(target.name) is not an HTTP port"
                    : "service \(target.name) has no port \(port)",
                choices: ports.map { String($0) })
        }
        if let called, ports.contains(called) { return called }
        if let port = ports.first, ports.count == 1 || called == nil { return port }
        throw Unknown(
            field: ["port", "number"],
            detail: ports.isEmpty
                ? "service \(target.name) has no HTTP port"
                : "service \(target.name) has several ports; the destination must say which one",
            choices: ports.map { String($0) })
    }

    /// Names that would have been found, at most 50.
    func hosts(in namespace: Name) -> [String] {
        let names = services.keys.filter { $0.namespace == namespace }.sorted()
        return names.prefix(50).map { $0.namespace == self.namespace ? $0.name.text : "\($0.name).\($0.namespace)" }
    }
}
