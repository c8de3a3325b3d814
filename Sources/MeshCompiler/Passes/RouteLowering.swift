internal import Documents
internal import GrayRelease
internal import MeshCore
internal import MeshModel

/// The routes of one host, as they are made.
struct RouteLowering {
    let host: Host
    let service: MeshState.Service
    /// The view of the mesh. Its questions count as asked for the host.
    private(set) var view: MeshView
    /// Why rules are left out: the rest of a sentence. `nil`: they are not.
    let excess: String?
    private(set) var diagnostics: [Diagnostic] = []
    /// Rules that releases are to divide and leave as they are.
    private(set) var leftOut: [(release: NamespacedName, excess: ReleaseExcess)] = []
    private var reported: Set<Diagnostic> = []
    /// The cost of the routes that releases have added to those of the rules.
    private var copies = RouteCost()
    private var policies: [Host: Policies] = [:]
    /// Rules, by their place, that requests to some port get to, and the ports at which others take all before them.
    private var reached: Set<Int> = []
    private var passed: [Int: [Int]] = [:]

    init(_ host: Host, _ service: MeshState.Service, _ view: MeshView, excess: String? = nil) {
        self.host = host
        self.service = service
        self.view = view
        self.excess = excess
    }

    mutating func virtualHosts() -> [IR.VirtualHost] {
        let owner = keptOwner()
        reportInvalidReleases()
        reportGateways()
        defer { owner.map { reportUnreached($0) } }
        let ports = service.spec.ports.filter(\.appProtocol.isHTTP)
        return ports.map { port in
            let user = owner.map { userRoutes(of: $0, port: port.number) } ?? []
            // A port that no rule is about goes to the service, as in Istio.
            let routes = user.isEmpty ? defaultRoutes(port: port.number) : user
            return IR.VirtualHost(
                host: host, port: port.number, isDefaultPort: port.number == ports.first?.number,
                routes: routes.map { hashing($0) })
        }
    }

    /// The VirtualService whose rules hold.
    mutating func holder() -> NamespacedName? {
        let ownership = view.ownership(of: host)
        for diagnostic in ownership.diagnostics(in: view.mesh) { report(diagnostic) }
        return ownership.holder
    }

    /// The owner, unless its rules come to too much.
    private mutating func keptOwner() -> NamespacedName? {
        guard let owner = holder() else { return nil }
        guard let excess else { return owner }
        report(
            .virtualService, owner, JSONPointer(["spec", "http"]), .tooMany,
            "the rules for \(host.noun) \(host) \(excess). They are left out: its requests go to the \(host.noun)")
        return nil
    }

    mutating func rules(of virtualService: NamespacedName) -> MeshState.Rules? {
        view.object(VirtualServiceSpec.self, virtualService)
    }

    // MARK: - Routes

    private mutating func defaultRoutes(port: Int) -> [IR.Route] {
        let rule = defaultRule(port: port)
        let draft = RouteDraft("default", .any, to: rule, mirrors: [])
        return released([draft], rule, at: nil, port: port, regexSize: 0).map { draft in
            let forward = ForwardSettings.standard.forward(draft)
            return IR.Route(
                name: draft.name, origin: .service, releases: draft.releases, match: draft.match,
                action: .forward(forward), fault: nil, headers: HeaderOperations())
        }
    }

    /// Without a rule, all requests go to the service: a destination without a version.
    mutating func defaultRule(port: Int) -> RuleDestinations {
        let whole = RuleDestination(
            index: 0, host: host, port: port, named: nil, version: nil, weight: 100, headers: HeaderOperations())
        return RuleDestinations([whole], RuleShape(namespace: host.namespace)) { view.service($0) }
    }

    private mutating func userRoutes(of owner: NamespacedName, port: Int) -> [IR.Route] {
        guard let rules = rules(of: owner) else { return [] }
        var routes: [IR.Route] = []
        for (index, rule) in rules.spec.http.enumerated() {
            let place = RulePlace(owner, index, rule)
            let matches = rule.match.enumerated().filter { $0.element.isAbout(port: port) }
            if matches.isEmpty && !rule.match.isEmpty { continue }
            if routes.last?.match.isAny == true {
                passed[index, default: []].append(port)
                continue
            }
            reached.insert(index)
            let whole: [(Int?, HTTPMatch?)] = rule.match.isEmpty ? [(nil, nil)] : []
            let destinations = destinations(of: rule, at: place, port: port)
            let mirrors = mirrors(of: rule, at: place, port: port)
            for (match, condition) in whole + matches.map({ ($0.offset, $0.element) }) {
                routes += lowered(rule, to: destinations, mirrors, at: place, port: port, condition, match)
                if routes.last?.match.isAny == true { break }
            }
        }
        return routes
    }

    /// A rule for one of its matches: the route, with the copies that releases put before it.
    private mutating func lowered(
        _ rule: HTTPRule, to destinations: RuleDestinations, _ mirrors: [IR.Mirror], at place: RulePlace, port: Int,
        _ condition: HTTPMatch?, _ index: Int?
    ) -> [IR.Route] {
        let route = IR.Route(
            name: condition?.name.map { "\(place.routeName).\($0)" } ?? place.routeName,
            origin: .rules(place.virtualService, index: place.index, match: index, name: rule.name),
            match: condition.map { IR.RouteMatch($0) } ?? .any, action: .respond(status: 503, body: nil),
            fault: rule.fault, headers: rule.headers)
        switch rule.action {
        case .redirect(let redirect): return [route.with(.redirect(redirect))]
        case .directResponse(let response):
            return [route.with(.respond(status: response.status, body: response.body))]
        case .route:
            let draft = RouteDraft(route.name, route.match, to: destinations, mirrors: mirrors)
            // Nobody is there to send it to: an error for these requests, and the rest of the mesh goes on.
            guard !draft.parts.isEmpty else { return [route] }
            let settings = ForwardSettings(rule)
            let regexSize = rule.regexSize + (condition?.regexSize ?? 0)
            return released([draft], destinations, at: place, port: port, regexSize: regexSize).map { draft in
                var copy = route.with(.forward(settings.forward(draft)))
                copy.name = draft.name
                copy.match = draft.match
                copy.releases = draft.releases
                return copy
            }
        }
    }

    /// - Parameters:
    ///   - place: `nil`: of the default route.
    ///   - regexSize: of a rule's own regexes, which every copy has too.
    private mutating func released(
        _ drafts: [RouteDraft], _ rule: RuleDestinations, at place: RulePlace?, port: Int, regexSize: Int
    ) -> [RouteDraft] {
        var hosts: [Host] = []
        for destination in rule.all where !hosts.contains(destination.host) { hosts.append(destination.host) }
        var released = drafts
        for release in hosts.compactMap({ release(of: $0) }) {
            let stickiness = stickiness(of: release, on: rule, beside: released, at: place, port: port)
            let lowering = ReleaseLowering(
                name: release.name, traffic: release.traffic, rule: rule, stickiness: stickiness)
            // Releases of several services multiply, so it is asked before they are made.
            let most = lowering.mostCopies
            if let excess = RouteBudget.excess(of: released.count, most, regexSize: regexSize, besides: copies) {
                report(
                    .release, release.name, .spec, .tooMany,
                    "\(excess); rules that it would divide are left as they are")
                leftOut.append(
                    (release.name, ReleaseExcess(host: host, place, port: port, limit: excess)))
                continue
            }
            let routes = released.flatMap(lowering.routes)
            let made = routes.count - released.count
            copies = copies + RouteCost(routes: made, regexSize: made * regexSize)
            released = routes
        }
        return released
    }

    /// The stickiness that a release gives a rule's routes. Where a destination is hashed by something else, or another
    /// release keeps users by something else, that holds: sessions that are there stay where they are.
    ///
    /// - Parameter drafts: what other releases have made of the rule.
    private mutating func stickiness(
        of release: (name: NamespacedName, traffic: ReleaseTraffic), on rule: RuleDestinations,
        beside drafts: [RouteDraft], at place: RulePlace?, port: Int
    ) -> IR.Stickiness? {
        let traffic = release.traffic
        // What is in the way is told from the first step on, before the canary has a share.
        guard let stickiness = traffic.stickiness, traffic.isEffective, traffic.canaryShare < .all,
            traffic.classify(rule) == .split
        else { return nil }
        var problem = stickinessConflict(of: traffic, with: rule)
        let other = drafts.lazy.compactMap(\.stickiness).first { !$0.givesCookie }
        if problem == nil, let other = other?.keys.first, !other.isSame(as: stickiness.key) {
            problem =
                "users are told apart by \(stickiness.key.description), but another release does so by \(other.description)"
        }
        guard let problem else {
            return traffic.isDivided ? stickiness.route(besides: hashes(of: rule, dividedBy: traffic)) : nil
        }
        let rule =
            place.map { "\($0.pointer) of VirtualService \($0.virtualService)" }
            ?? "the default route of \(host.noun) \(host), port \(port)"
        report(
            .release, release.name,
            Stickiness.path.reduce(JSONPointer.spec) { $0.appending($1) }, .conflict,
            "\(rule): \(problem); there, users are not kept on a version")
        return nil
    }

    // MARK: - Destinations

    mutating func destinations(of rule: HTTPRule, at place: RulePlace, port: Int) -> RuleDestinations {
        guard case .route(let parts) = rule.action else {
            return RuleDestinations([], RuleShape(rule, of: place.virtualService)) { _ in nil }
        }
        var found: [RuleDestination] = []
        for (index, part) in parts.enumerated() {
            let at = place.pointer.appending("route").appending(index).appending("destination")
            guard let (target, port) = target(part.destination, of: place.virtualService, port: port, at: at) else {
                continue
            }
            found.append(
                RuleDestination(
                    index: index, host: target.host, port: port, named: target.version, version: target.version,
                    weight: part.weight, headers: part.headers))
        }
        let destinations = RuleDestinations(found, RuleShape(rule, of: place.virtualService)) { view.service($0) }
        reportRetired(destinations, at: place)
        return destinations
    }

    /// The mirrors of a rule: destinations of copies of its requests. They are never divided.
    private mutating func mirrors(of rule: HTTPRule, at place: RulePlace, port: Int) -> [IR.Mirror] {
        guard let mirror = rule.mirror else { return [] }
        let at = place.pointer.appending("mirror")
        guard let (target, port) = target(mirror.destination, of: place.virtualService, port: port, at: at) else {
            return []
        }
        let named = RuleDestination(
            index: 0, host: target.host, port: port, named: target.version, version: target.version, weight: 100,
            headers: HeaderOperations())
        let shape = RuleShape(namespace: place.virtualService.namespace)
        guard let meant = RuleDestinations([named], shape, { view.service($0) }).all.first else { return [] }
        reportRetired(meant, of: place.virtualService, at: at)
        let cluster = IR.ClusterName(host: target.host, port: port, version: meant.version)
        return [IR.Mirror(cluster: cluster, partsPerMillion: Int((mirror.percentage ?? .all).partsPerMillion))]
    }

    private mutating func policies(of host: Host) -> Policies {
        if let known = policies[host] { return known }
        let policies = view.policies(of: host)
        self.policies[host] = policies
        return policies
    }

    private mutating func target(
        _ destination: Destination, of owner: NamespacedName, port: Int, at pointer: JSONPointer
    ) -> (DestinationTarget, port: Int)? {
        do throws(UnknownDestination) {
            let target = try view.target(of: destination, own: host, from: owner.namespace)
            reportUnseen(target.host, owner, pointer)
            return (target, try target.port(of: destination, called: port))
        } catch {
            let at = error.field.reduce(pointer) { $0.appending($1) }
            report(.virtualService, owner, at, .unknownReference, error.detail)
            return nil
        }
    }

    /// Says where callers of the host do not see what the rules send their requests to.
    private mutating func reportUnseen(_ target: Host, _ owner: NamespacedName, _ pointer: JSONPointer) {
        guard target != host, let there = view.definition(of: target)?.host.export,
            !there.includes(view.definition(of: host)?.host.export ?? .everybody, besides: target.namespace)
        else { return }
        report(
            Diagnostic(
                .namespaced(.virtualService, owner, in: view.mesh), pointer.appending("host"), .unsupported,
                "host \(target) is not there for all who see \(host.noun) \(host): from other namespaces these requests get 503",
                severity: .notice))
    }

    /// Says where a rule means another version than it names, and where it pins requests to a version that is retired.
    private mutating func reportRetired(_ destinations: RuleDestinations, at place: RulePlace) {
        for destination in destinations.all {
            let at = place.pointer.appending("route").appending(destination.index).appending("destination")
            reportRetired(destination, of: place.virtualService, at: at)
        }
    }

    private mutating func reportRetired(
        _ destination: RuleDestination, of owner: NamespacedName, at pointer: JSONPointer
    ) {
        guard let named = destination.named, let service = view.service(destination.host),
            service.status.promotion(from: named) != nil, let stable = service.stableVersion
        else { return }
        if destination.version != named {
            report(
                .virtualService, owner, pointer, .redirected,
                "version \(named) of \(destination.host.noun) \(destination.host) has been replaced by a release; "
                    + "its requests go to \(stable)")
        } else {
            report(
                .virtualService, owner, pointer, .pinnedToRetired,
                "version \(named) of \(destination.host.noun) \(destination.host) has been replaced by \(stable); "
                    + "these requests still go to \(named)")
        }
    }

    // MARK: - Releases

    /// The release that divides a host's traffic. There is one at most; of several that an older version of this server
    /// has let start, the first by name.
    private mutating func release(of host: Host) -> (name: NamespacedName, traffic: ReleaseTraffic)? {
        for (name, traffic) in view.releases(of: host) where problem(with: traffic) == nil { return (name, traffic) }
        return nil
    }

    private mutating func reportInvalidReleases() {
        let holding = release(of: host)?.name
        for (release, traffic) in view.releases(of: host) where traffic.isEffective && release != holding {
            if let (pointer, detail) = problem(with: traffic) {
                report(.release, release, pointer, .unknownReference, "\(detail); the release has no effect")
            } else if let holding {
                report(
                    .release, release, JSONPointer(["spec", "service"]), .conflict,
                    "release \(holding) of the same service holds; this one has no effect", other: holding)
            }
        }
    }

    /// The first thing that a release names and that is missing: its service, a port or a version; `nil`: all exist.
    private mutating func problem(with traffic: ReleaseTraffic) -> (pointer: JSONPointer, detail: String)? {
        guard let spec = view.service(.service(traffic.service))?.spec else {
            return (JSONPointer(["spec", "service"]), "there is no service \(traffic.service)")
        }
        if let port = traffic.port, spec.port(port)?.appProtocol.isHTTP != true {
            return (JSONPointer(["spec", "port"]), "service \(traffic.service) has no HTTP port \(port)")
        }
        for (field, version) in [("stable", traffic.stable), ("canary", traffic.canary)] where !spec.hasVersion(version)
        {
            return (
                JSONPointer(["spec", field, "version"]), "service \(traffic.service) has no version \(version)"
            )
        }
        return nil
    }

    // MARK: -

    /// A rule that is behind one for every request at each of its ports. Behind such rules of some ports only it is in force.
    private mutating func reportUnreached(_ owner: NamespacedName) {
        for (index, ports) in passed.sorted(by: { $0.key < $1.key }) where !reached.contains(index) {
            let list = ports.map { String($0) }.joined(separator: ", ")
            report(
                .virtualService, owner, JSONPointer(["spec", "http"]).appending(index), .unreachable,
                "no request gets here: rules before this one take every request to "
                    + (ports.count == 1 ? "port \(list)" : "ports \(list)"))
        }
    }

    /// Gateways that rules are for: sidecars alone follow rules here. Told once, where the first of the hosts is looked at.
    private mutating func reportGateways() {
        for (rules, input) in view.objects(VirtualServiceSpec.self, mentioning: host.mention) {
            let spec = input.spec
            guard let index = spec.gateways.firstIndex(where: { $0 != VirtualServiceSpec.meshGateway }),
                isFirst(of: spec.hosts, from: rules.namespace)
            else { continue }
            let isFollowed = spec.appliesToSidecars
            report(
                Diagnostic(
                    .namespaced(.virtualService, rules, in: view.mesh),
                    JSONPointer(["spec", "gateways"]).appending(index), .unsupported,
                    "gateway \(spec.gateways[index]) is not served: "
                        + (isFollowed ? "only sidecars follow these rules" : "nobody follows these rules"),
                    severity: isFollowed ? .notice : .notInForce))
        }
    }

    /// Whether the host is the first of those that some texts mean.
    private mutating func isFirst(of hosts: [String], from namespace: Name) -> Bool {
        for text in hosts {
            if let first = view.host(text, from: namespace) { return first == host }
        }
        return false
    }

    /// - Parameter other: of the same kind.
    private mutating func report(
        _ kind: Kind, _ object: NamespacedName, _ pointer: JSONPointer, _ code: Diagnostic.Code, _ detail: String,
        other: NamespacedName? = nil
    ) {
        report(
            Diagnostic(
                .namespaced(kind, object, in: view.mesh), pointer, code, detail,
                other: other.map { .namespaced(kind, $0, in: view.mesh) }))
    }

    /// Once: every port of the service meets the same mistakes.
    private mutating func report(_ diagnostic: Diagnostic) {
        if reported.insert(diagnostic).inserted { diagnostics.append(diagnostic) }
    }

    /// The route with what its destinations are hashed by.
    private mutating func hashing(_ route: IR.Route) -> IR.Route {
        guard case .forward(var forward) = route.action, forward.stickiness == nil else { return route }
        for share in forward.destinations {
            guard let hash = hash(of: share.cluster), !forward.hashOn.contains(hash.source) else { continue }
            forward.hashOn.append(hash.source)
        }
        return route.with(.forward(forward))
    }

    /// How requests to a cluster are hashed; `nil`: they are not.
    mutating func hash(of cluster: IR.ClusterName) -> DestinationHash? {
        guard let spec = view.service(cluster.host)?.spec else { return nil }
        let policies = policies(of: cluster.host)
        guard case .consistentHash(let hash)? = policies.policy(of: cluster, spec).loadBalancer else { return nil }
        return DestinationHash(host: cluster.host, source: hash.source, rule: policies.source)
    }
}

extension HTTPMatch {
    func isAbout(port: Int) -> Bool { self.port == nil || self.port == port }
}

/// The place of a rule in its VirtualService.
struct RulePlace {
    /// The VirtualService.
    let virtualService: NamespacedName
    let index: Int
    let name: String?
    let routeName: String

    init(_ virtualService: NamespacedName, _ index: Int, _ rule: HTTPRule) {
        self.virtualService = virtualService
        self.index = index
        name = rule.name
        routeName = rule.name ?? "\(virtualService.name).\(virtualService.namespace)/http/\(index)"
    }

    var pointer: JSONPointer { JSONPointer(["spec", "http"]).appending(index) }
}

extension IR.Route {
    fileprivate func with(_ action: IR.Action) -> IR.Route {
        var route = self
        route.action = action
        return route
    }
}
