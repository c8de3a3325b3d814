import Documents
import MeshCore

/// One instance of a service: where callers reach it, and which version it runs.
package struct EndpointSpec: Spec {

    package enum Health: String, CaseIterable, Sendable {
        case healthy, unhealthy, draining
    }

    /// The sidecar in front of the instance. Callers connect to the sidecar at the endpoint's address and ports; the
    /// sidecar forwards to the workload's own ports.
    package struct Sidecar: Hashable, Sendable {
        /// The proxy's name, as in `…/proxies/{proxy}/bootstrap`.
        package var proxy: Name
        /// Where the workload itself listens on the sidecar's loopback interface, by the service's port names.
        package var workloadPorts: [Name: Int]
    }

    /// The cluster that the instance runs in.
    package var cluster: Name
    /// An IP address that callers' sidecars can reach.
    package var address: String
    /// Where callers connect, by the service's port names; `1...65_535`. A port that is left out has the service's number.
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

    package init?(reading fields: inout FieldReader) {
        let cluster = fields.name("cluster", required: true)
        let address = fields.string("address", required: true, maxLength: 64)
        if let address, !IPAddress.isValid(address) {
            fields.log.report(fields.pointer.appending("address"), .invalidFormat, "must be an IPv4 or IPv6 address")
        }
        ports = Self.ports("ports", &fields)
        version = fields.name("version")
        locality = fields.string("locality", maxLength: 200) ?? ""
        if locality.split(separator: "/", omittingEmptySubsequences: false).count > 3 {
            fields.log.report(
                fields.pointer.appending("locality"), .invalidFormat,
                "must be region, region/zone or region/zone/subzone")
        }
        weight = Int(fields.integer("weight", in: 1...1000) ?? 1)
        health = fields.choice("health") ?? .healthy
        sidecar = Self.sidecar(&fields)
        fields.finish()
        guard let cluster, let address else { return nil }
        self.cluster = cluster
        self.address = address
    }

    private static func sidecar(_ fields: inout FieldReader) -> Sidecar? {
        guard var nested = fields.object("sidecar") else { return nil }
        let proxy = nested.name("proxy", required: true)
        let ports = Self.ports("workloadPorts", &nested)
        if ports.isEmpty { nested.require("workloadPorts") }
        nested.finish()
        return proxy.map { Sidecar(proxy: $0, workloadPorts: ports) }
    }

    private static func ports(_ field: String, _ fields: inout FieldReader) -> [Name: Int] {
        var ports: [Name: Int] = [:]
        for entry in fields.entries(field) {
            guard let name = Name(entry.name) else {
                fields.log.report(entry.pointer, .invalidFormat, "the port's name \(Name.rule)")
                continue
            }
            guard case .integer(let number) = entry.value, (1...65_535).contains(number) else {
                fields.log.report(entry.pointer, .outOfRange, "must be an integer from 1 to 65535")
                continue
            }
            ports[name] = Int(number)
        }
        return ports
    }

    package var json: JSONValue {
        .fields([
            "cluster": .string(cluster.text),
            "address": .string(address),
            "ports": Self.json(ports),
            "version": version.map { .string($0.text) },
            "locality": locality.isEmpty ? nil : .string(locality),
            "weight": .integer(Int64(weight)),
            "health": .string(health.rawValue),
            "sidecar": sidecar.map {
                .fields(["proxy": .string($0.proxy.text), "workloadPorts": Self.json($0.workloadPorts)])
            },
        ])
    }

    private static func json(_ ports: [Name: Int]) -> JSONValue? {
        guard !ports.isEmpty else { return nil }
        return .object(Dictionary(uniqueKeysWithValues: ports.map { ($0.key.text, .integer(Int64($0.value))) }))
    }
}

