package import Documents
package import MeshCore

/// One instance of a service: where callers reach it, and which version it runs.
package struct EndpointSpec: ResourceKind {
    package static let info = KindInfo(
        "Endpoint", in: .child(of: "Service"), roles: KindRoles(write: .developers), isUrgent: true)

    package enum Health: String, CaseIterable, Sendable {
        case healthy, unhealthy, draining
    }

    /// The sidecar in front of the instance. Callers connect to the sidecar at the endpoint's address and ports; the
    /// sidecar forwards to the workload's own ports.
    package struct Sidecar: Document {
        /// The proxy's name, as in `…/proxies/{proxy}/bootstrap`.
        package var proxy: Name
        /// The ports on which the workload itself listens on the sidecar's loopback interface, by the service's
        /// port names.
        package var workloadPorts: [Name: Int]

        package init() { self.init(proxy: .blank, workloadPorts: [:]) }

        package init(proxy: Name, workloadPorts: [Name: Int]) {
            self.proxy = proxy
            self.workloadPorts = workloadPorts
        }

        package static let schemaName: String? = nil
        package static let fields: [Field<Self>] = [
            .required("proxy", \.proxy, .name, "The proxy's name, as in its bootstrap."),
            .required(
                "workloadPorts", \.workloadPorts,
                .namedPorts.checked { ports, place, log in
                    if ports.isEmpty { log.report(place.pointer, .required, "must not be empty") }
                }, "Where the workload itself listens on the sidecar's loopback interface."),
        ]
    }

    /// The cluster that the instance runs in.
    package var cluster: Name
    /// An IP address that callers' sidecars can reach.
    package var address: String
    /// The ports that callers connect to, by the service's port names; `1...65_535`. Default: the service's
    /// number.
    package var ports: [Name: Int]
    /// One of the service's versions; `nil` if the service has none.
    package var version: Name?
    /// `region`, `region/zone` or `region/zone/subzone`; empty: unknown.
    package var locality: String
    /// `1...1000`, relative to the other endpoints. Default 1.
    package var weight: Int
    /// Only healthy endpoints are sent traffic. Default healthy.
    package var health: Health
    package var sidecar: Sidecar?

    package init() { self.init(cluster: .blank, address: "") }

    package init(
        cluster: Name, address: String, ports: [Name: Int] = [:], version: Name? = nil, locality: String = "",
        weight: Int = 1, health: Health = .healthy, sidecar: Sidecar? = nil
    ) {
        self.cluster = cluster
        self.address = address
        self.ports = ports
        self.version = version
        self.locality = locality
        self.weight = weight
        self.health = health
        self.sidecar = sidecar
    }

    package static let fields: [Field<Self>] = [
        .required("cluster", \.cluster, .name, "The cluster that the instance runs in."),
        .required("address", \.address, ipAddress, "An IPv4 or IPv6 address that callers' sidecars can reach."),
        .defaulted(
            "ports", \.ports, .namedPorts, "Where callers connect. A port that is left out has the service's number."),
        .optional("version", \.version, .name, "One of the service's versions."),
        .defaulted("locality", \.locality, place, isWritten: false, "region, region/zone or region/zone/subzone."),
        .defaulted("weight", \.weight, .integer(1...1000), "Relative to the other endpoints."),
        .defaulted("health", \.health, .choice, "Only healthy endpoints are sent traffic."),
        .optional(
            "sidecar", \.sidecar, .document,
            """
            The sidecar in front of the instance. Of endpoints that want different things done with what comes in at one \
            address and port of a sidecar, the one that was created first has it; any other is sent nothing there and is not \
            accepted (DuplicateAddress). Endpoints of several services with the same workload port and protocol share it.
            """),
    ]

    private static let ipAddress = Shape<String>.string(atMost: 64).examples("10.0.0.1", "fd00::1").checked {
        address, place, log in
        guard !IPAddress.isValid(address) else { return }
        log.report(place.pointer, .invalidFormat, "must be an IPv4 or IPv6 address")
    }
    static let place = Shape<String>.string(atMost: 200).examples("eu-west-1/a").checked {
        locality, place, log in
        guard locality.split(separator: "/", omittingEmptySubsequences: false).count > 3 else { return }
        log.report(place.pointer, .invalidFormat, "must be region, region/zone or region/zone/subzone")
    }
}

extension Kind {
    package static let endpoint = kinds[EndpointSpec.self]
}
