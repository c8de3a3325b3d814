package import Documents
package import MeshCore

/// Hosts that are no services of the mesh, and where requests to them go, with the fields of Istio's ServiceEntry
/// (networking.istio.io/v1).
package struct ServiceEntrySpec: ResourceKind {
    package static let info = KindInfo(
        "ServiceEntry", plural: "serviceEntries", in: .namespace, roles: KindRoles(write: .developers))

    /// How the addresses behind a host are found.
    package enum Resolution: String, CaseIterable, Sendable {
        /// They are the endpoints'.
        case endpoints = "STATIC"
        /// Sidecars ask DNS for the endpoints' names, or for the host's own if there are none; all answers are members.
        case dns = "DNS"
        /// DNS is asked as with ``dns``, for one name, but each new connection goes to the first answer.
        case firstOfDNS = "DNS_ROUND_ROBIN"
    }

    private static let interception = "it takes sidecars that intercept connections; use STATIC or DNS"

    /// How a port's traffic is understood.
    package enum AppProtocol: String, CaseIterable, Sendable {
        case http = "HTTP"
        case http2 = "HTTP2"
        case grpc = "GRPC"
    }

    private static let refusedProtocols: [String: String] = {
        let encrypted = "sidecars neither encrypt connections nor look into those that are"
        let others = "sidecars are HTTP proxies; other connections take ones that intercept them"
        return [
            "HTTPS": encrypted, "TLS": encrypted, "TCP": others, "MONGO": others, "MYSQL": others, "REDIS": others,
            "UDP": others,
        ]
    }()

    /// The side of the mesh's border on which a host is. Istio decides by it whether connections are encrypted by the
    /// mesh.
    package enum Location: String, CaseIterable, Sendable {
        case external = "MESH_EXTERNAL"
        case `internal` = "MESH_INTERNAL"
    }

    package struct Port: Document {
        package var name = Name.blank
        /// The port number that callers put behind the host name; `1...65_535`.
        package var number = 0
        package var appProtocol = AppProtocol.http
        /// The port of endpoints that give none themselves, `1...65_535`; `nil`: ``number``.
        package var targetPort: Int?

        package init() {}

        package static let schemaName: String? = nil
        package static let fields: [Field<Self>] = [
            .required("name", \.name, .name, "What endpoints call it."),
            .required(
                "number", \.number, .port, "What callers put behind the host name; without it they mean the first port."
            ),
            .defaulted(
                "protocol", \.appProtocol, .choice(refused: refusedProtocols),
                "How its traffic is understood; declared, never sniffed."),
            .optional("targetPort", \.targetPort, .port, "Where endpoints listen that do not say. Default: number."),
        ]

        package func finish(_ reading: Members) {
            guard number == 443 else { return }
            reading.log.warn(
                reading.place("number").pointer, .consequence, "requests go to this port as they are, without TLS")
        }
    }

    package struct Endpoint: Document {
        /// An IP address; a name of DNS where that is asked.
        package var address = ""
        package var ports: [Name: Int] = [:]
        package var weight = 1
        /// `region`, `region/zone` or `region/zone/subzone`; empty: unknown.
        package var locality = ""

        package init() {}

        package static let schemaName: String? = nil
        package static let fields: [Field<Self>] = [
            .required("address", \.address, .string(atMost: 253), "An IP address; with DNS a name, too."),
            .defaulted("ports", \.ports, .namedPorts, "Where it listens, by the names of ports."),
            .defaulted("weight", \.weight, .integer(1...1000), "Relative to the other endpoints."),
            .defaulted(
                "locality", \.locality, EndpointSpec.place, isWritten: false,
                "region, region/zone or region/zone/subzone."),
            .refused("labels", "subsets are versions of services"),
            .refused("network", "networks take gateways between them"),
            .refused("serviceAccount", "sidecars encrypt nothing"),
        ]
    }

    /// Full names; unique, at least one, at most 32.
    package var hosts: [String] = []
    /// At least one, at most 32; names and numbers are unique.
    package var ports: [Port] = []
    package var resolution = Resolution.endpoints
    package var location = Location.external
    /// At most 1000.
    package var endpoints: [Endpoint] = []
    /// The namespaces that see the hosts: `*` for all, `.` for the entry's own, or names. Empty: all.
    package var exportTo: [String] = []

    package init() {}

    package static let fields: [Field<Self>] = [
        .required(
            "hosts", \.hosts, .list(of: fullName, 1...32, .ofElements("hosts must be unique")),
            "Full names, by which callers and rules know them."),
        .required(
            "ports", \.ports,
            .list(
                of: .document, 1...32, Uniqueness({ $0.name }, at: ["name"], "names of ports must be unique"),
                Uniqueness({ $0.number }, at: ["number"], "numbers of ports must be unique")), "What the hosts offer."),
        .required(
            "resolution", \.resolution, .choice(refused: ["NONE": interception, "DYNAMIC_DNS": interception]),
            """
            STATIC: at the endpoints' addresses. DNS: sidecars ask for the names of the endpoints, or of the host; gRPC clients \
            without a sidecar are not told of such hosts. DNS_ROUND_ROBIN: as DNS, for one name, the first answer alone.
            """),
        .defaulted(
            "location", \.location, .choice, isWritten: false,
            "Whether the hosts are part of the mesh. Nothing depends on it as long as sidecars encrypt nothing."),
        .defaulted("endpoints", \.endpoints, .list(of: .document, 0...1000), "Where requests to the hosts go."),
        .defaulted(
            "exportTo", \.exportTo, .list(of: .text, 0...32, .ofElements("namespaces must be unique")),
            "Who sees the hosts: \".\" for the own namespace, names of namespaces, \"*\" for all. Default: all."),
        .refused("addresses", "they take sidecars that intercept connections"),
        .refused("workloadSelector", "endpoints are written down"),
        .refused("subjectAltNames", "sidecars encrypt nothing"),
    ]
    package static let summary: String? = """
        The fields of Istio's ServiceEntry (networking.istio.io/v1). A host has one definition in a namespace; another namespace may \
        have its own, which is what that namespace sees.
        """

    private static let fullName = Shape<String>.string(atMost: 254).examples("api.example.com").converted(
        to: { text, place, log in
            let name = HostName.relative(text)
            guard !name.utf8.contains(UInt8(ascii: "*")) else {
                log.report(place.pointer, .unsupported, "wildcard hosts are not supported; must be a full name")
                return nil
            }
            guard HostName.isName(name), HostName.mayBeDefined(name) else {
                log.report(
                    place.pointer, .invalidFormat,
                    "must be a full name such as \"api.example.com\": labels of lower-case letters, digits and \"-\" with dots in between; without port, no address, and no service's, which ends with \(HostName.domain)"
                )
                return nil
            }
            return name
        }, from: { $0 })

    package func finish(_ reading: Members) {
        switch resolution {
        case .endpoints:
            if endpoints.isEmpty && (!reading.has("endpoints") || reading.isRead("endpoints")) {
                reading.report("endpoints", .required, "must not be empty where the resolution is STATIC")
            }
        case .firstOfDNS:
            if endpoints.count > 1 {
                reading.report("endpoints", .tooMany, "DNS_ROUND_ROBIN asks for one name; use DNS for several")
            }
        case .dns: break
        }
        for (index, endpoint) in endpoints.enumerated() { check(endpoint, at: index, reading) }
        checkPlaces(reading)
        let members = hosts.count * ports.count * endpoints.count
        if !Limits.membersPerServiceEntry.allows(members) {
            reading.report(
                "endpoints", .tooMany,
                "come to \(members) members of clusters; allowed are \(Limits.membersPerServiceEntry.rule)")
        }
        checkExports(reading)
    }

    private func check(_ endpoint: Endpoint, at index: Int, _ reading: Members) {
        let place = reading.place("endpoints").pointer.appending(index)
        let isAddress = IPAddress.isValid(endpoint.address)
        if !isAddress && (resolution == .endpoints || !HostName.isName(HostName.relative(endpoint.address))) {
            reading.log.report(
                place.appending("address"), .invalidFormat,
                resolution == .endpoints
                    ? "must be an IPv4 or IPv6 address where the resolution is STATIC"
                    : "must be an IPv4 or IPv6 address, or a name of DNS")
        }
        let names = ports.map(\.name)
        for name in endpoint.ports.keys.sorted() where !names.contains(name) {
            reading.log.report(
                place.appending("ports").appending(name.text), .unknownReference, "there is no port \(name)",
                choices: names.map(\.text))
        }
    }

    /// No two endpoints are one place.
    private func checkPlaces(_ reading: Members) {
        for port in ports {
            var seen: Set<String> = []
            for (index, endpoint) in endpoints.enumerated() {
                let number = endpoint.ports[port.name] ?? port.targetPort ?? port.number
                guard !seen.insert("\(endpoint.address) \(number)").inserted else { continue }
                reading.log.report(
                    reading.place("endpoints").pointer.appending(index).appending("address"), .duplicate,
                    "another endpoint has the address \(endpoint.address) and port \(number) too")
            }
        }
    }

    private func checkExports(_ reading: Members) {
        for (index, namespace) in exportTo.enumerated() where namespace != "*" && namespace != "." {
            guard Name(namespace) == nil else { continue }
            reading.log.report(
                reading.place("exportTo").pointer.appending(index), .invalidFormat,
                "must be \"*\", \".\" or a namespace, which \(Name.rule)")
        }
    }
}

extension Kind {
    package static let serviceEntry = kinds[ServiceEntrySpec.self]
}
