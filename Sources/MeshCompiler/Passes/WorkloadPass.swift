internal import Documents
internal import MeshCore
internal import MeshModel

/// Compiles the inbound listeners of a sidecar: the ports of services that have an endpoint behind it, whatever the
/// endpoint's health, as an instance that drains still answers what it was sent.
///
/// At one address and port a sidecar listens for one endpoint: the one that was created first, or of those created
/// together the one whose service and name come first. Another endpoint shares the listener if it wants the same done
/// with requests, as services with the same instances do. Otherwise its port is refused: what came later must not take
/// away what works.
///
/// Its subjects are single proxies, as the addresses are: what many have in common is a question of their labels and accounts,
/// which nothing asks for yet.
enum WorkloadPass: Pass {
    static func run(
        _ proxy: NamespacedName, _ view: inout MeshView, _ diagnostics: inout [Diagnostic]
    ) -> CompiledWorkload? {
        guard let candidates = candidates(behind: proxy, &view) else { return nil }
        var inbound = InboundListeners()
        for candidate in candidates.sorted(by: { $0.rank < $1.rank }) {
            inbound.decide(candidate.inbound, at: candidate.pointer)
        }
        let inForce = inbound.inForce.sorted { ($0.service, $0.port.number) < ($1.service, $1.port.number) }
        return CompiledWorkload(inbound: inForce, unservedPorts: inbound.unservedPorts)
    }

    private struct Candidate {
        var inbound: IR.Inbound
        /// The place where the endpoint says what it wants of the port.
        var pointer: JSONPointer
        var createTime: Timestamp
        /// The index of the port among those of its service.
        var index: Int

        var rank: (Timestamp, NamespacedName, Name, Int) { (createTime, inbound.service, inbound.endpoint, index) }
    }

    /// - Returns: `nil` if nothing stands behind the proxy.
    private static func candidates(behind proxy: NamespacedName, _ view: inout MeshView) -> [Candidate]? {
        let enabled = view.enabledClusters
        let endpoints = view.children(EndpointSpec.self, mentioning: .proxy(proxy))
        guard !endpoints.isEmpty else { return nil }
        var candidates: [Candidate] = []
        for (service, name, endpoint) in endpoints {
            let member = endpoint.spec
            guard enabled.contains(member.cluster), let sidecar = member.sidecar,
                let spec = view.object(ServiceSpec.self, service)?.spec
            else { continue }
            for (index, port) in spec.ports.enumerated() {
                guard let workloadPort = sidecar.workloadPorts[port.name] else { continue }
                let inbound = IR.Inbound(
                    service: service, endpoint: name, proxy: proxy.name, port: port, address: member.address,
                    listenPort: member.ports[port.name] ?? port.number, workloadPort: workloadPort)
                // An endpoint need not say where it is reached.
                let path = member.ports[port.name] == nil ? ["sidecar", "workloadPorts"] : ["ports"]
                let pointer = JSONPointer(["spec"] + path + [port.name.text])
                candidates.append(
                    Candidate(inbound: inbound, pointer: pointer, createTime: endpoint.createTime, index: index))
            }
        }
        return candidates
    }
}

/// The inbound listeners of one sidecar, and the ports that are refused.
package struct CompiledWorkload: Hashable, Sendable {
    /// Sorted by service, then by port.
    package var inbound: [IR.Inbound]
    var unservedPorts: [UnservedPort]
}

/// A port of an endpoint that its sidecar does not listen for, so that callers must not be sent there.
struct UnservedPort: Hashable, Sendable {
    var service: NamespacedName
    var endpoint: Name
    /// The port's name.
    var port: Name
    /// The place in the endpoint of what cannot be done; ``detail`` says why.
    var pointer: JSONPointer
    var detail: String
    /// In whose favour.
    var holder: IR.Inbound
}

/// The inbound listeners of one sidecar, as its candidates are decided about one by one.
private struct InboundListeners {
    private(set) var inForce: [IR.Inbound] = []
    private(set) var unservedPorts: [UnservedPort] = []
    private var holders: [IR.Inbound.Place: IR.Inbound] = [:]
    /// By service and port the one endpoint that the proxy stands before.
    private var instances: [Instance: Name] = [:]

    private struct Instance: Hashable {
        var service: NamespacedName
        /// The port's name.
        var port: Name
    }

    /// - Parameter pointer: where the endpoint says what it wants of the port.
    mutating func decide(_ one: IR.Inbound, at pointer: JSONPointer) {
        if let holder = holders[one.place] {
            guard !holder.serves(one) else { return }
            return refuse(
                one, pointer, because: holder,
                "proxy \(one.proxy) already listens at \(one.place) for endpoint \(holder.endpoint) of service \(holder.service), and hands port \(holder.port.name) on to port \(holder.workloadPort) of the workload as \(holder.port.appProtocol.rawValue): port \(one.port.name) of this endpoint is not in force"
            )
        }
        let instance = Instance(service: one.service, port: one.port.name)
        if let first = instances[instance] {
            var holder = one
            holder.endpoint = first
            return refuse(
                one, JSONPointer(["spec", "sidecar", "proxy"]), because: holder,
                "proxy \(one.proxy) already stands in front of endpoint \(first) of service \(one.service) for port \(one.port.name): that port of this endpoint is not in force"
            )
        }
        instances[instance] = one.endpoint
        holders[one.place] = one
        inForce.append(one)
    }

    private mutating func refuse(
        _ one: IR.Inbound, _ pointer: JSONPointer, because holder: IR.Inbound, _ detail: String
    ) {
        unservedPorts.append(
            UnservedPort(
                service: one.service, endpoint: one.endpoint, port: one.port.name, pointer: pointer, detail: detail,
                holder: holder))
    }
}

extension IR.Inbound.Place: CustomStringConvertible {
    var description: String { "\(address), port \(listenPort)" }
}
