internal import Documents
internal import MeshCore
internal import MeshModel

/// What the sidecars in front of a service's instances let in, whatever their health: an instance that drains still answers
/// what it was sent.
///
/// At one address and port a sidecar listens for one endpoint: the one that was created first, or of those created together
/// the one whose service and name come first. Others have it too if they want the same done with what comes in, as services
/// with the same instances do. For whom it cannot be done nothing is: what came later must not take away what works.
struct InboundLowering {
    /// Of the service, sorted by proxy, then by port; without what a sidecar lets in for another service already.
    private(set) var inbound: [IR.Inbound] = []
    /// What of the service no sidecar listens for, so that callers must not be sent there.
    private(set) var refused: Set<Part> = []
    private(set) var diagnostics: [Diagnostic] = []

    /// An endpoint as far as one port goes.
    struct Part: Hashable {
        var endpoint: Name
        /// The port's name.
        var port: Name
    }

    /// A port of a service behind a sidecar, which stands in front of one instance.
    private struct Instance: Hashable {
        var service: NamespacedName
        var proxy: Name
        /// The port's name.
        var port: Name
    }

    private let mesh: MeshKey
    private let name: NamespacedName
    private var holders: [IR.Inbound.Place: IR.Inbound] = [:]
    private var instances: [Instance: Name] = [:]

    /// - Parameter neighbours: the other services that stand behind a sidecar that this one stands behind too.
    init(of name: NamespacedName, beside neighbours: Set<NamespacedName>, in state: MeshState) {
        mesh = state.mesh
        self.name = name
        let proxies = Set((state.endpoints[name] ?? [:]).values.compactMap(\.spec.sidecar?.proxy))
        guard !proxies.isEmpty else { return }
        let all = neighbours.union([name]).flatMap { Self.candidates(of: $0, behind: proxies, in: state) }
        for candidate in all.sorted(by: { $0.rank < $1.rank }) { decide(candidate.inbound) }
        inbound.sort { ($0.proxy, $0.port.number) < ($1.proxy, $1.port.number) }
    }

    private struct Candidate {
        var inbound: IR.Inbound
        var createTime: Timestamp
        /// Of the port among those of its service.
        var index: Int

        var rank: (Timestamp, NamespacedName, Name, Int) { (createTime, inbound.service, inbound.endpoint, index) }
    }

    private static func candidates(
        of service: NamespacedName, behind proxies: Set<Name>, in state: MeshState
    ) -> [Candidate] {
        guard let spec = state.services[service]?.spec else { return [] }
        let enabled = state.enabledClusters
        return (state.endpoints[service] ?? [:]).flatMap { name, endpoint -> [Candidate] in
            let member = endpoint.spec
            guard enabled.contains(member.cluster), let sidecar = member.sidecar,
                proxies.contains(sidecar.proxy)
            else { return [] }
            return spec.ports.enumerated().compactMap { index, port in
                guard let workloadPort = sidecar.workloadPorts[port.name] else { return nil }
                let inbound = IR.Inbound(
                    service: service, endpoint: name, proxy: sidecar.proxy, port: port, address: member.address,
                    listenPort: member.ports[port.name] ?? port.number, workloadPort: workloadPort)
                return Candidate(inbound: inbound, createTime: endpoint.createTime, index: index)
            }
        }
    }

    /// In the order of ranks.
    private mutating func decide(_ one: IR.Inbound) {
        if let holder = holders[one.place] {
            guard !holder.serves(one) else { return }
            return refuse(
                one, JSONPointer(["spec", "ports", one.port.name.text]), because: holder,
                "proxy \(one.proxy) already listens at \(one.place) for endpoint \(holder.endpoint) of service \(holder.service), and hands port \(holder.port.name) on to port \(holder.workloadPort) of the workload as \(holder.port.appProtocol.rawValue): port \(one.port.name) of this endpoint is not in force"
            )
        }
        let instance = Instance(service: one.service, proxy: one.proxy, port: one.port.name)
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
        if one.service == name { inbound.append(one) }
    }

    private mutating func refuse(
        _ one: IR.Inbound, _ pointer: JSONPointer, because holder: IR.Inbound, _ detail: String
    ) {
        guard one.service == name else { return }
        refused.insert(Part(endpoint: one.endpoint, port: one.port.name))
        diagnostics.append(
            Diagnostic(
                .endpoint(one.endpoint, of: name, in: mesh), pointer, .duplicateAddress, detail,
                other: .endpoint(holder.endpoint, of: holder.service, in: mesh)))
    }
}

extension IR.Inbound.Place: CustomStringConvertible {
    var description: String { "\(address), port \(listenPort)" }
}
