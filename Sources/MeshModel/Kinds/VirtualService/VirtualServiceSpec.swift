package import Documents
package import MeshCore

/// Rules of HTTP traffic for one or more hosts, with the fields of Istio's VirtualService (networking.istio.io/v1).
///
/// The early v1alpha3 spelling is read too, with warnings; ``json`` writes today's.
package struct VirtualServiceSpec: ResourceKind {
    package static let info = KindInfo("VirtualService", in: .namespace, roles: KindRoles(write: .developers))

    /// The name among ``gateways`` that stands for all sidecars of the mesh.
    package static let meshGateway = "mesh"

    /// The namespaces that may decide about one of the hosts in place of this VirtualService. Istio has nothing like
    /// it.
    package struct Delegation: Document {
        /// One of ``hosts``, of this VirtualService's own namespace.
        package var host: String
        /// At least one, at most 64; unique.
        package var namespaces: [Name]

        package init() { self.init(host: "", namespaces: []) }

        package init(host: String, namespaces: [Name]) {
            self.host = host
            self.namespaces = namespaces
        }

        package static let schemaName: String? = nil
        package static let fields: [Field<Self>] = [
            .required("host", \.host, .host, "One of hosts, of the VirtualService's own namespace."),
            .required(
                "namespaces", \.namespaces, .list(of: .name, 1...64, .ofElements("namespaces must be unique")),
                "Whose VirtualServices may decide about it."),
        ]
    }

    /// Host names of services, short or full (``HostName``); unique, at least one, at most 32.
    package var hosts: [String]
    /// At most 32.
    package var delegateHosts: [Delegation]
    /// The gateways that follow the rules, by name; `mesh` stands for sidecars. Empty: `mesh`.
    package var gateways: [String]
    /// The first rule that fits decides; at least one, at most 256.
    package var http: [HTTPRule]

    package init() { self.init(hosts: [], http: []) }

    package init(hosts: [String], delegateHosts: [Delegation] = [], gateways: [String] = [], http: [HTTPRule]) {
        self.hosts = hosts
        self.delegateHosts = delegateHosts
        self.gateways = gateways
        self.http = http
    }

    package static let fields: [Field<Self>] = [
        .required(
            "hosts", \.hosts, .list(of: .host, 1...32, .ofElements("hosts must be unique")),
            "Names of services; a dot behind a name, which makes it absolute, is left out."),
        .defaulted(
            "delegateHosts", \.delegateHosts, .list(of: .document, 0...32),
            """
            Not Istio's: namespaces of which a VirtualService may decide about a host in place of this one. Else a host of \
            "mesh" belongs to the VirtualService of its own namespace that has it, and a second one is refused.
            """),
        .defaulted(
            "gateways", \.gateways, .list(of: .text, 0...32),
            "Who follows the rules: mesh for sidecars, names of gateways. Default: mesh."),
        .required(
            "http", \.http, .list(of: .document, 1...256, mayBeOne: true), "The first rule that fits a request decides."
        ),
        .constant("exportTo", "*", listLimit: 32, isWritten: false, "rules are visible in their whole mesh"),
        .refused("tls", "traffic that the workload encrypts itself is not looked into"),
        .refused("tcp", "ports that do not speak HTTP go to all versions"),
    ]
    package static let summary: String? = """
        The fields of Istio's VirtualService (networking.istio.io/v1). Early v1alpha3 spellings are read too, with warnings; what is \
        stored has today's.
        """

    /// Whether sidecars follow the rules.
    package var appliesToSidecars: Bool { gateways.isEmpty || gateways.contains(Self.meshGateway) }
}

extension Kind {
    package static let virtualService = kinds[VirtualServiceSpec.self]
}
