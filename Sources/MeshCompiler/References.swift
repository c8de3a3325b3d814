internal import GrayRelease
package import MeshCore
package import MeshModel

/// Who has to be looked at again when something changes.
struct References: Hashable, Sendable {
    /// What one VirtualService is about.
    private struct Footprint: Hashable {
        /// Services whose requests it decides about.
        var hosts: Set<NamespacedName>
        /// Services that it sends requests to.
        var destinations: Set<NamespacedName>
    }

    private var footprints: [NamespacedName: Footprint] = [:]
    private var rulesByHost: [NamespacedName: Set<NamespacedName>] = [:]
    private var rulesByDestination: [NamespacedName: Set<NamespacedName>] = [:]
    private var serviceOfPolicies: [NamespacedName: NamespacedName] = [:]
    private var policiesByService: [NamespacedName: Set<NamespacedName>] = [:]
    /// DestinationRules that send requests by their hash.
    private var hashingPolicies: Set<NamespacedName> = []
    /// The labels of the subsets of DestinationRules that have some, which decide what destinations mean.
    private var selectors: [NamespacedName: [Name: [String: String]]] = [:]
    private var serviceOfRelease: [NamespacedName: NamespacedName] = [:]
    private var releasesByService: [NamespacedName: Set<NamespacedName>] = [:]
    /// By service, the sidecars before its endpoints; and by sidecar, the services behind it.
    private var proxiesByService: [NamespacedName: Set<NamespacedName>] = [:]
    private var servicesByProxy: [NamespacedName: Set<NamespacedName>] = [:]

    init() {}

    /// Of all rules of a state; sidecars are left out.
    init(_ state: MeshState) {
        for (name, policies) in state.destinationRules { _ = replace(name, with: policies.spec) }
        for (name, rules) in state.virtualServices { _ = replace(name, with: rules.spec) }
        for (name, traffic) in state.releases { _ = replace(name, with: traffic) }
    }

    /// VirtualServices with the service among their hosts.
    func rules(for service: NamespacedName) -> Set<NamespacedName> { rulesByHost[service] ?? [] }

    /// DestinationRules that name the service.
    func policies(of service: NamespacedName) -> Set<NamespacedName> { policiesByService[service] ?? [] }

    func releases(of service: NamespacedName) -> Set<NamespacedName> { releasesByService[service] ?? [] }

    /// Services whose routes may name `service`.
    func dependents(on service: NamespacedName) -> Set<NamespacedName> {
        (rulesByDestination[service] ?? []).reduce(into: []) { $0.formUnion(footprints[$1]?.hosts ?? []) }
    }

    /// Takes over a VirtualService as it is now, `nil` if it is gone.
    ///
    /// - Returns: the services whose routes it decided or decides about.
    mutating func replace(_ rules: NamespacedName, with spec: VirtualServiceSpec?) -> Set<NamespacedName> {
        var touched: Set<NamespacedName> = []
        if let old = footprints.removeValue(forKey: rules) {
            for host in old.hosts { rulesByHost.remove(rules, from: host) }
            for destination in old.destinations { rulesByDestination.remove(rules, from: destination) }
            touched = old.hosts
        }
        guard let spec else { return touched }
        let footprint = Self.footprint(of: spec, in: rules.namespace)
        footprints[rules] = footprint
        for host in footprint.hosts { rulesByHost[host, default: []].insert(rules) }
        for destination in footprint.destinations { rulesByDestination[destination, default: []].insert(rules) }
        return touched.union(footprint.hosts)
    }

    /// Takes over a DestinationRule as it is now, `nil` if it is gone.
    ///
    /// - Returns: the services that it was or is about, and whether their routes may depend on what changed: on what requests
    ///   are hashed by, or on which version a subset is.
    mutating func replace(
        _ policies: NamespacedName, with spec: DestinationRuleSpec?
    ) -> [(service: NamespacedName, concernsRoutes: Bool)] {
        let old = serviceOfPolicies[policies]
        let new = spec.flatMap { HostName.service($0.host, from: policies.namespace) }
        let touched = (old == new ? [new] : [old, new]).compactMap(\.self)
        let before = touched.map { (service: $0, isHashed: isHashed($0), isSelected: isSelected($0)) }
        let labels = (spec?.subsets ?? []).reduce(into: [Name: [String: String]]()) { labels, subset in
            if !subset.labels.isEmpty { labels[subset.name] = subset.labels }
        }
        // Of several rules for one service another one may hold from now on.
        let isOnly = old == new && new.map { self.policies(of: $0).count == 1 } == true
        let selectsAlike = isOnly && labels == selectors[policies, default: [:]]
        selectors[policies] = labels.isEmpty ? nil : labels
        if old != new {
            if let old { policiesByService.remove(policies, from: old) }
            if let new { policiesByService[new, default: []].insert(policies) }
            serviceOfPolicies[policies] = new
        }
        if spec?.hashesRequests == true {
            hashingPolicies.insert(policies)
        } else {
            hashingPolicies.remove(policies)
        }
        return before.map { service, wasHashed, wasSelected in
            (
                service,
                wasHashed || isHashed(service) || !selectsAlike && (wasSelected || isSelected(service))
            )
        }
    }

    private func isSelected(_ service: NamespacedName) -> Bool {
        !selectors.isEmpty && policies(of: service).contains { selectors[$0] != nil }
    }

    private func isHashed(_ service: NamespacedName) -> Bool {
        !hashingPolicies.isEmpty && !policies(of: service).isDisjoint(with: hashingPolicies)
    }

    /// Takes over a release as it is now, `nil` if it owns no traffic.
    ///
    /// - Returns: the services whose routes it changed or changes.
    mutating func replace(_ release: NamespacedName, with traffic: ReleaseTraffic?) -> Set<NamespacedName> {
        var touched: Set<NamespacedName> = []
        if let old = serviceOfRelease.removeValue(forKey: release) {
            releasesByService.remove(release, from: old)
            touched.insert(old)
        }
        guard let traffic else { return touched }
        serviceOfRelease[release] = traffic.service
        releasesByService[traffic.service, default: []].insert(release)
        touched.insert(traffic.service)
        return touched
    }

    /// Other services that stand behind a sidecar that the service stands behind too.
    func neighbours(of service: NamespacedName) -> Set<NamespacedName> {
        var neighbours: Set<NamespacedName> = []
        for proxy in proxiesByService[service] ?? [] { neighbours.formUnion(servicesByProxy[proxy] ?? []) }
        neighbours.remove(service)
        return neighbours
    }

    /// Takes over a service's endpoints as they are now.
    ///
    /// - Returns: its neighbours, those before and those from now on.
    mutating func replace(
        _ service: NamespacedName, withEndpoints endpoints: [Name: MeshState.Endpoint]
    ) -> Set<NamespacedName> {
        var proxies: Set<NamespacedName> = []
        for endpoint in endpoints.values {
            guard let sidecar = endpoint.spec.sidecar else { continue }
            proxies.insert(NamespacedName(namespace: service.namespace, name: sidecar.proxy))
        }
        let old = proxiesByService[service] ?? []
        guard !proxies.isEmpty || !old.isEmpty else { return [] }
        let before = neighbours(of: service)
        guard proxies != old else { return before }
        for proxy in old.subtracting(proxies) { servicesByProxy.remove(service, from: proxy) }
        for proxy in proxies.subtracting(old) { servicesByProxy[proxy, default: []].insert(service) }
        proxiesByService[service] = proxies.isEmpty ? nil : proxies
        return before.union(neighbours(of: service))
    }

    private static func footprint(of spec: VirtualServiceSpec, in namespace: Name) -> Footprint {
        Footprint(
            hosts: Set(spec.hosts.compactMap { HostName.service($0, from: namespace) }),
            destinations: spec.destinations(from: namespace))
    }
}

extension VirtualServiceSpec {
    /// The services that its rules send requests and copies of them to, whether they exist or not.
    ///
    /// - Parameter namespace: its own.
    package func destinations(from namespace: Name) -> Set<NamespacedName> {
        http.reduce(into: []) { destinations, rule in
            var hosts: [String] = []
            if case .route(let parts) = rule.action { hosts = parts.map(\.destination.host) }
            if let mirror = rule.mirror { hosts.append(mirror.destination.host) }
            destinations.formUnion(hosts.compactMap { HostName.service($0, from: namespace) })
        }
    }
}

extension Dictionary where Value == Set<NamespacedName> {
    fileprivate mutating func remove(_ member: NamespacedName, from key: Key) {
        self[key]?.remove(member)
        if self[key]?.isEmpty == true { self[key] = nil }
    }
}
