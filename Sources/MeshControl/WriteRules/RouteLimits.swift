internal import Documents
internal import MeshCompiler
internal import MeshCore
internal import MeshModel
internal import MeshStore

extension PlannedWrite {
    /// The violation of a limit by a VirtualService's rules, for one of its services or for the mesh. Rules that
    /// already came to more are never one: that is the way back.
    ///
    /// - Parameter state: the mesh without this write.
    func excess(of spec: VirtualServiceSpec, named name: NamespacedName, in state: MeshState) -> Violation? {
        let pointer = JSONPointer.spec.appending("http")
        var names = StateNames(state)
        let old = state.virtualServices[name]?.spec
        let oldHosts = old.map { Set(names.hosts(of: $0, from: name.namespace)) } ?? []
        for host in names.hosts(of: spec, from: name.namespace) {
            guard let document = names.service(host)?.spec else { continue }
            let before = oldHosts.contains(host) ? old?.cost(for: document) ?? RouteCost() : RouteCost()
            guard let excess = spec.cost(for: document).excessOfService(growingFrom: before) else { continue }
            return Violation(
                pointer, .tooMany,
                "the rules for \(host.noun) \(host) \(excess). Each condition counts once for each of its HTTP ports, unless it has a port"
            )
        }
        let growth =
            names.cost(of: spec, from: name.namespace)
            - (old.map { names.cost(of: $0, from: name.namespace) } ?? RouteCost())
        // Most writes change what is there; to add up all rules of a large mesh takes milliseconds.
        guard growth.routes > 0 || growth.regexSize > 0 else { return nil }
        let before = names.cost(ofAll: state.virtualServices)
        guard let excess = (before + growth).excessOfMesh(growingFrom: before) else { return nil }
        return Violation(pointer, .tooMany, "with these, all rules of the mesh \(excess)")
    }

    /// The violation of a limit by the rules for a service, or by all rules of the mesh, because of the service's HTTP
    /// ports. With no more of them than before there is none.
    ///
    /// - Parameter state: the mesh without this write.
    func excess(of service: ServiceSpec, named name: NamespacedName, in state: MeshState) -> Violation? {
        let old = state.services[name]?.spec
        guard service.ports.count(where: \.appProtocol.isHTTP) > old?.ports.count(where: \.appProtocol.isHTTP) ?? 0
        else { return nil }
        let pointer = JSONPointer.spec.appending("ports")
        var names = StateNames(state)
        let rules = state.virtualServices.filter {
            $1.spec.appliesToSidecars && names.hosts(of: $1.spec, from: $0.namespace).contains(.service(name))
        }
        guard !rules.isEmpty else { return nil }
        let before = names.cost(ofAll: state.virtualServices)
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

extension PlannedWrite {
    /// The violation of a limit by all rules of the mesh, because hosts are defined in another way.
    func excess(ofRulesIn new: MeshState, before old: MeshState) -> Violation? {
        var (names, before) = (StateNames(new), StateNames(old))
        let excess = names.cost(ofAll: new.virtualServices)
            .excessOfMesh(growingFrom: before.cost(ofAll: old.virtualServices))
        return excess.map {
            Violation(
                JSONPointer.spec.appending("ports"), .tooMany, "with so many HTTP ports all rules of the mesh \($0)")
        }
    }
}

extension StateNames {
    /// The hosts that rules are about.
    fileprivate mutating func hosts(of rules: VirtualServiceSpec, from namespace: Name) -> [Host] {
        rules.hosts.compactMap { host($0, from: namespace) }
    }

    /// The cost of rules for all of their hosts.
    fileprivate mutating func cost(of rules: VirtualServiceSpec, from namespace: Name) -> RouteCost {
        guard rules.appliesToSidecars else { return RouteCost() }
        return hosts(of: rules, from: namespace).reduce(RouteCost()) { sum, host in
            sum + (service(host).map { rules.cost(for: $0.spec) } ?? RouteCost())
        }
    }

    fileprivate mutating func cost(ofAll rules: Table<MeshState.Rules>) -> RouteCost {
        rules.reduce(RouteCost()) { $0 + cost(of: $1.value.spec, from: $1.key.namespace) }
    }
}
