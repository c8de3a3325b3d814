package import Documents
package import MeshCore
package import MeshModel

/// Checks of a VirtualService against what there is, when it is written: what the compiler would have to leave out later
/// is refused at once, with a pointer.
package struct VirtualServiceCheck {
    /// The document with early spellings made plain: a destination that named a version of the VirtualService's own host
    /// says host and subset. This is what should be stored.
    package private(set) var spec: VirtualServiceSpec
    package private(set) var violations: [Violation] = []
    package private(set) var warnings: [Violation] = []

    private let namespace: Name
    private var names: StateNames
    private let own: [(text: String, host: Host)]

    /// - Parameters:
    ///   - name: the VirtualService's.
    ///   - pointer: where the `spec` stands in the request.
    package init(
        _ spec: VirtualServiceSpec, named name: NamespacedName, in state: MeshState, at pointer: JSONPointer = ["spec"]
    ) {
        self.spec = spec
        namespace = name.namespace
        var names = StateNames(state)
        own = spec.hosts.compactMap { text in names.host(text, from: name.namespace).map { (text, $0) } }
        self.names = names
        checkHosts(at: pointer.appending("hosts"))
        checkDelegations(at: pointer.appending("delegateHosts"))
        for index in spec.http.indices { checkRule(index, at: pointer.appending("http").appending(index)) }
    }

    private mutating func checkHosts(at pointer: JSONPointer) {
        for (index, name) in own.enumerated() where names.service(name.host) == nil {
            violations.append(
                Violation(
                    pointer.appending(index), .unknownReference, name.host.absence(named: name.text),
                    choices: names.hosts(in: name.host.namespace, from: namespace)))
        }
    }

    /// A host is let go by whom it belongs to.
    private mutating func checkDelegations(at pointer: JSONPointer) {
        let mine = own.filter { $0.host.namespace == namespace }
        for (index, delegation) in spec.delegateHosts.enumerated() {
            let host = names.host(delegation.host, from: namespace)
            if mine.contains(where: { $0.host == host }) { continue }
            violations.append(
                Violation(
                    pointer.appending(index).appending("host"), .invalidValue,
                    "must be one of the hosts of this VirtualService, and of its own namespace",
                    choices: mine.map(\.text)))
        }
    }

    private mutating func checkRule(_ index: Int, at pointer: JSONPointer) {
        for (position, match) in spec.http[index].match.enumerated() {
            guard let port = match.port else { continue }
            checkPort(port, at: pointer.appending("match").appending(position).appending("port"))
        }
        if case .route(var parts) = spec.http[index].action {
            for (position, part) in parts.enumerated() {
                let here = pointer.appending("route").appending(position).appending("destination")
                parts[position].destination = checked(part.destination, at: here)
            }
            spec.http[index].action = .route(parts)
        }
        if let mirror = spec.http[index].mirror?.destination {
            let destination = checked(mirror, at: pointer.appending("mirror"))
            spec.http[index].mirror?.destination = destination
        }
    }

    private mutating func checkPort(_ port: Int, at pointer: JSONPointer) {
        let services = own.compactMap { names.service($0.host)?.spec }
        guard !services.isEmpty, !services.contains(where: { $0.port(port)?.appProtocol.isHTTP == true }) else {
            return
        }
        let choices = services.flatMap(\.ports).filter(\.appProtocol.isHTTP).map { String($0.number) }
        violations.append(
            Violation(
                pointer, .unknownReference, "no host of this VirtualService has an HTTP port \(port)", choices: choices)
        )
    }

    /// The destination in today's spelling.
    private mutating func checked(_ destination: Destination, at pointer: JSONPointer) -> Destination {
        // Only where the host is one may a version be left to stand for itself: with several, which one is meant depends
        // on the request, and the compiler decides.
        let isSingle = own.count == 1
        for host in own.isEmpty ? [nil] : own.map(Optional.some) {
            do throws(UnknownDestination) {
                let target = try names.target(of: destination, own: host?.host, from: namespace)
                _ = try target.port(of: destination, called: nil)
                guard let host, destination.subset == nil, let version = target.version else { continue }
                warn(about: version, of: host.text, at: pointer)
                if isSingle { return Destination(host: host.text, subset: version, port: destination.port) }
            } catch {
                let at = error.field.reduce(pointer) { $0.appending($1) }
                violations.append(Violation(at, .unknownReference, error.detail, choices: error.choices))
                return destination
            }
        }
        return destination
    }

    private mutating func warn(about version: Name, of host: String, at pointer: JSONPointer) {
        warnings.append(
            Violation(
                pointer.appending("host"), .invalidValue,
                "\"\(version)\" names no service but a version of \(host); today this is written {\"host\": \"\(host)\", \"subset\": \"\(version)\"}"
            ))
    }
}

extension JSONPointer: ExpressibleByArrayLiteral {
    package init(arrayLiteral elements: String...) { self.init(elements) }
}
