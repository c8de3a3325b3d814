internal import MeshCompiler
internal import MeshModel
internal import MeshStore

extension PlannedWrite {
    /// What of a VirtualService's rules would be too much for one of its services, or for the mesh. One that comes to less than
    /// before is never too much: that is the way back.
    ///
    /// - Parameter state: the mesh without this write.
    func excess(of spec: VirtualServiceSpec, named name: NamespacedName, in state: MeshState) -> Violation? {
        let pointer = Self.specPointer.appending("http")
        for service in spec.services(from: name.namespace) {
            guard let document = state.services[service]?.spec,
                let excess = spec.cost(for: document).excessOfService
            else { continue }
            return Violation(
                pointer, .tooMany,
                "the rules for service \(service) \(excess). Each condition counts once for each of its HTTP ports, unless it has a port"
            )
        }
        var (now, before) = (RouteCost(), RouteCost())
        for (other, rules) in state.virtualServices {
            let cost = rules.spec.cost(from: other.namespace, in: state)
            before = before + cost
            if other != name { now = now + cost }
        }
        now = now + spec.cost(from: name.namespace, in: state)
        guard let excess = now.excessOfMesh else { return nil }
        if now.routes < before.routes || now.regexSize < before.regexSize { return nil }
        return Violation(pointer, .tooMany, "with these, all rules of the mesh \(excess)")
    }

    /// What a service's ports make too much of the rules for it. With no more ports than before they are not.
    ///
    /// - Parameter state: the mesh without this write.
    func excess(of service: ServiceSpec, named name: NamespacedName, in state: MeshState) -> Violation? {
        let before = state.services[name]?.spec.ports.count(where: \.appProtocol.isHTTP) ?? 0
        guard service.ports.count(where: \.appProtocol.isHTTP) > before else { return nil }
        for (other, rules) in state.virtualServices.sorted(by: { $0.key < $1.key })
        where rules.spec.services(from: other.namespace).contains(name) {
            guard let excess = rules.spec.cost(for: service).excessOfService else { continue }
            return Violation(
                Self.specPointer.appending("ports"), .tooMany,
                "with so many HTTP ports the rules of VirtualService \(other) \(excess)")
        }
        return nil
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
