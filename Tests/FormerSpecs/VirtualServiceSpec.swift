import Documents
import MeshCore

/// Rules of HTTP traffic for one or more hosts, with the fields of Istio's VirtualService (networking.istio.io/v1).
///
/// The early v1alpha3 spelling is read too, with warnings; ``json`` writes today's.
package struct VirtualServiceSpec: Spec {

    /// What stands for all sidecars of the mesh among ``gateways``.
    package static let meshGateway = "mesh"

    /// Who may decide about one of the hosts in place of this VirtualService. Not Istio's.
    package struct Delegation: Hashable, Sendable {
        /// One of ``hosts``, of this VirtualService's own namespace.
        package var host: String
        /// At least one, at most 64; unique.
        package var namespaces: [Name]
    }

    /// Host names of services, short or full (``HostName``); unique, at least one, at most 32.
    package var hosts: [String]
    /// At most 32.
    package var delegateHosts: [Delegation]
    /// Who follows the rules: `mesh` for sidecars, names of gateways. Empty: `mesh`.
    package var gateways: [String]
    /// The first rule that fits decides; at least one, at most 256.
    package var http: [HTTPRule]

    /// Fields of Istio's VirtualService that mean something but are not carried out.
    private static let unsupported = ["tls", "tcp"]

    package init?(reading fields: inout FieldReader) {
        hosts = Self.hosts(&fields)
        delegateHosts = fields.objects("delegateHosts", atMost: 32).compactMap { Delegation(reading: $0) }
        gateways = fields.strings("gateways", atMost: 32)
        fields.refuse(Self.unsupported)
        for element in fields.elements("exportTo", atMost: 32) where element.value != "*" {
            fields.log.report(
                element.pointer, .unsupported, "only \"*\" is supported: rules are visible in their whole mesh")
        }
        http = fields.oneOrMore("http", required: true, atMost: 256).compactMap { HTTPRule(reading: $0) }
        fields.finish()
    }

    /// Whether sidecars follow the rules.
    package var appliesToSidecars: Bool { gateways.isEmpty || gateways.contains(Self.meshGateway) }

    private static func hosts(_ fields: inout FieldReader) -> [String] {
        var hosts: [String] = []
        for element in fields.elements("hosts", required: true, atMost: 32) {
            guard let host = HostName.read(element.value, at: element.pointer, log: fields.log) else { continue }
            if hosts.contains(host) { fields.log.report(element.pointer, .duplicate, "hosts must be unique") }
            hosts.append(host)
        }
        return hosts
    }

    package var json: JSONValue {
        .fields([
            "hosts": .array(hosts.map(JSONValue.string)),
            "delegateHosts": JSONValue.list(delegateHosts) {
                ["host": .string($0.host), "namespaces": .array($0.namespaces.map { .string($0.text) })]
            },
            "gateways": JSONValue.list(gateways, JSONValue.string),
            "http": .array(http.map(\.json)),
        ])
    }
}

extension VirtualServiceSpec.Delegation {
    fileprivate init?(reading fields: FieldReader) {
        var fields = fields
        let host = fields.value("host").flatMap {
            HostName.read($0, at: fields.pointer.appending("host"), log: fields.log)
        }
        if !fields.has("host") { fields.require("host") }
        namespaces = []
        for element in fields.elements("namespaces", required: true, atMost: 64) {
            guard let namespace = element.value.stringValue.flatMap(Name.init) else {
                fields.log.report(element.pointer, .invalidFormat, Name.rule)
                continue
            }
            if namespaces.contains(namespace) {
                fields.log.report(element.pointer, .duplicate, "namespaces must be unique")
            }
            namespaces.append(namespace)
        }
        fields.finish()
        guard let host else { return nil }
        self.host = host
    }
}

extension FieldReader {
    /// Reports those of `names` that are present as fields that exist in Istio but are not supported here.
    mutating func refuse(_ names: [String]) {
        for name in names where value(name) != nil {
            log.report(
                pointer.appending(name), .unsupported,
                "\"\(name)\" of Istio's API is not supported here; leave it out, or the rule would not do what it says")
        }
    }

    /// The elements of an array of objects, or one object in place of the array, as early examples of Istio have it.
    mutating func oneOrMore(_ name: String, required: Bool = false, atMost limit: Int) -> [FieldReader] {
        guard case .object? = value(name) else { return objects(name, required: required, atMost: limit) }
        log.warn(pointer.appending(name), .wrongType, "\"\(name)\" is a list today; read as a list of one")
        return object(name).map { [$0] } ?? []
    }

    /// The name by which a field is present: its own, or an outdated one, which earns a warning. Both at once conflict.
    mutating func spelling(of name: String, early: String) -> String {
        guard value(early) != nil else { return name }
        let here = pointer.appending(early)
        if value(name) != nil {
            log.report(here, .conflict, "is an early spelling of \"\(name)\", which is given too")
            return name
        }
        log.warn(here, .unknownField, "\"\(early)\" is an early spelling; the field is called \"\(name)\" today")
        return early
    }
}

