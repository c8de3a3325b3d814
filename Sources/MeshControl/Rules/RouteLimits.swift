internal import Documents
internal import MeshCompiler
internal import MeshCore
internal import MeshModel
internal import MeshStore

extension PlannedWrite {
    /// What of a VirtualService's rules would be too much for one of its services, or for the mesh. What came to more before is
    /// never too much: that is the way back.
    ///
    /// - Parameter state: the mesh without this write.
    func excess(of spec: VirtualServiceSpec, named name: NamespacedName, in state: MeshState) -> Violation? {
        let pointer = Self.specPointer.appending("http")
        let old = state.virtualServices[name]?.spec
        for service in spec.services(from: name.namespace) {
            guard let document = state.services[service]?.spec else { continue }
            let isOld = old?.services(from: name.namespace).contains(service) == true
            let before = isOld ? old?.cost(for: document) ?? RouteCost() : RouteCost()
            guard let excess = spec.cost(for: document).excessOfService(growingFrom: before) else { continue }
            return Violation(
                pointer, .tooMany,
                "the rules for service \(service) \(excess). Each condition counts once for each of its HTTP ports, unless it has a port"
            )
        }
        let growth =
            spec.cost(from: name.namespace, in: state) - (old?.cost(from: name.namespace, in: state) ?? RouteCost())
        // Most writes change what is there; to add up all rules of a large mesh takes milliseconds.
        guard growth.routes > 0 || growth.regexSize > 0 else { return nil }
        let before = state.routeCost
        guard let excess = (before + growth).excessOfMesh(growingFrom: before) else { return nil }
        return Violation(pointer, .tooMany, "with these, all rules of the mesh \(excess)")
    }

    /// What a service's ports make too much of the rules for it, or of all rules of the mesh. With no more ports than before they
    /// are not.
    ///
    /// - Parameter state: the mesh without this write.
    func excess(of service: ServiceSpec, named name: NamespacedName, in state: MeshState) -> Violation? {
        let old = state.services[name]?.spec
        guard service.ports.count(where: \.appProtocol.isHTTP) > old?.ports.count(where: \.appProtocol.isHTTP) ?? 0
        else { return nil }
        let pointer = Self.specPointer.appending("ports")
        let rules = state.virtualServices.filter {
            $1.spec.appliesToSidecars && $1.spec.services(from: $0.namespace).contains(name)
        }
        guard !rules.isEmpty else { return nil }
        let before = state.routeCost
        var now = before
        for (other, rules) in rules.sorted(by: { $0.key < $1.key }) {
            let (cost, earlier) = (rules.spec.cost(for: service), old.map { rules.spec.cost(for: $0) } ?? RouteCost())
            now = now - earlier + cost
            guard let excess = cost.excessOfService(growingFrom: earlier) else { continue }
            return Violation(
                pointer, .tooMany, "with so many HTTP ports the rules of VirtualService \(other) \(excess)")
        }
        return now.excessOfMesh(growingFrom: before).map {
            Violation(pointer, .tooMany, "with so many HTTP ports all rules of the mesh \($0)")
        }
    }
}

extension MeshState {
    /// What all rules come to.
    fileprivate var routeCost: RouteCost {
        virtualServices.reduce(RouteCost()) { $0 + $1.value.spec.cost(from: $1.key.namespace, in: self) }
    }
}

extension VirtualServiceSpec {
    /// The services of its hosts.
    fileprivate func services(from namespace: Name) -> [NamespacedName] {
        hosts.compactMap { HostName.service($0, from: namespace) }
    }

    /// What the rules come to for all of its services.
    fileprivate func cost(from namespace: Name, in state: MeshState) -> RouteCost {
        guard appliesToSidecars else { return RouteCost() }
        return services(from: namespace).reduce(RouteCost()) { sum, service in
            sum + (state.services[service].map { cost(for: $0.spec) } ?? RouteCost())
        }
    }
}
