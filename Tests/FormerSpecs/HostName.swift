import Documents
import MeshCore

/// The names by which callers and rules name a service: `reviews`, `reviews.shop`, `reviews.shop.svc`,
/// `reviews.shop.svc.cluster.local`; each of them may have a dot behind it, which makes a name of DNS absolute.
package enum HostName {
    /// What full names of services end with, as in Kubernetes.
    package static let domain = "svc.cluster.local"

    package static let rule =
        "must be the name of a service: \"reviews\", \"reviews.shop\", \"reviews.shop.svc\" or \"reviews.shop.svc.cluster.local\""

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

    /// What stands before the first dot: of a service's host its name, found in a fraction of the time of ``service(_:from:)``.
    package static func firstLabel(_ host: String) -> Substring {
        host[..<(host.utf8.firstIndex(of: UInt8(ascii: ".")) ?? host.endIndex)]
    }

    /// Reads a host name and reports what is wrong with it.
    ///
    /// - Returns: the name without a dot behind it.
    static func read(_ value: JSONValue, at pointer: JSONPointer, log: ViolationLog) -> String? {
        guard case .string(let host) = value else {
            log.report(pointer, .wrongType, "must be a string, not \(value.typeName)")
            return nil
        }
        if host.utf8.contains(UInt8(ascii: "*")) {
            log.report(pointer, .unsupported, "wildcard hosts are not supported; \(rule)")
            return nil
        }
        guard service(host, from: .defaultMesh) != nil else {
            log.report(pointer, .invalidFormat, rule)
            return nil
        }
        return relative(host)
    }
}
