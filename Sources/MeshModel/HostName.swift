package import Documents
package import MeshCore

/// The names by which callers and rules name hosts. Of a service: `reviews`, `reviews.shop`, `reviews.shop.svc`,
/// `reviews.shop.svc.cluster.local`; each of them may have a dot behind it, which makes a name of DNS absolute.
package enum HostName {
    /// The suffix of services' full names, as in Kubernetes.
    package static let domain = "svc.cluster.local"

    package static let rule =
        "must be the name of a service, \"reviews\", \"reviews.shop\", \"reviews.shop.svc\" or \"reviews.shop.svc.cluster.local\", or the full name of another host, \"api.example.com\""

    /// `reviews.shop.svc.cluster.local`.
    package static func full(_ service: NamespacedName) -> String {
        "\(service.name.text).\(service.namespace.text).\(domain)"
    }

    /// A host name without the dot that makes it absolute, as sidecars take it.
    ///
    /// - Parameter host: may have a port behind it.
    package static func relative(_ host: String) -> String {
        let end = host.utf8.lastIndex(of: UInt8(ascii: ":")) ?? host.endIndex
        guard host[..<end].utf8.last == UInt8(ascii: "."), end > host.startIndex else { return host }
        return String(Substring(host[..<end].utf8.dropLast())) + host[end...]
    }

    /// The service that `host` names, whether it exists or not.
    ///
    /// - Parameter namespace: what a short name is looked up in: the namespace of the object that says it.
    /// - Returns: `nil` if no service of a mesh can have that name.
    package static func service(_ host: String, from namespace: Name) -> NamespacedName? {
        let host = host.utf8.last == UInt8(ascii: ".") ? relative(host) : host
        // Bytes, because characters take ten times as long to find; a name has no others than ASCII's.
        let labels = host.utf8.split(separator: UInt8(ascii: "."), maxSplits: 2, omittingEmptySubsequences: false)
            .map { String(Substring($0)) }
        guard let name = labels.first.flatMap(Name.init) else { return nil }
        guard labels.count > 1 else { return NamespacedName(namespace: namespace, name: name) }
        guard let namespace = Name(labels[1]) else { return nil }
        guard labels.count == 2 || labels[2] == "svc" || labels[2] == domain else { return nil }
        return NamespacedName(namespace: namespace, name: name)
    }

    /// The service whose full name this is; `nil` for all others, shorter names of services too.
    package static func service(full host: String) -> NamespacedName? {
        guard host.hasSuffix(".\(domain)") else { return nil }
        return service(host, from: .defaultMesh).flatMap { full($0) == host ? $0 : nil }
    }

    /// Whether a text is the name of a host: labels of DNS in lower case with dots in between, at most 253 bytes; no IP address.
    package static func isName(_ host: String) -> Bool {
        host.utf8.count <= 253 && !IPAddress.isIPv4(host)
            && host.split(separator: ".", omittingEmptySubsequences: false).allSatisfy { Name(String($0)) != nil }
    }

    /// Whether a host of this name may be another's than a service's: what has no dot, or ends as services' names do, is none.
    ///
    /// - Parameter host: without a dot at its end.
    package static func mayBeDefined(_ host: String) -> Bool {
        host.utf8.contains(UInt8(ascii: ".")) && !host.hasSuffix(".\(domain)")
    }

    /// The text before the first dot: of a service's host its name, found in a fraction of the time of
    /// ``service(_:from:)``.
    package static func firstLabel(_ host: String) -> Substring {
        host[..<(host.utf8.firstIndex(of: UInt8(ascii: ".")) ?? host.endIndex)]
    }
}

extension Shape where Value == String {
    /// The name of a host, of a service also a short one; without the dot behind it, if there is one.
    package static var host: Shape {
        let text = text
        return Shape(
            schema: .named("Host"),
            read: { json, place, log in
                guard let host = text.read(json, place, log) else { return nil }
                if host.utf8.contains(UInt8(ascii: "*")) {
                    log.report(
                        place.pointer, .unsupported, "wildcard hosts are not supported; \(HostName.rule)")
                    return nil
                }
                let name = HostName.relative(host)
                guard HostName.isName(name),
                    HostName.service(name, from: .defaultMesh) != nil || HostName.mayBeDefined(name)
                else {
                    log.report(place.pointer, .invalidFormat, HostName.rule)
                    return nil
                }
                return name
            }, write: JSONValue.string)
    }
}
