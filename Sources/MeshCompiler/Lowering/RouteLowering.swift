internal import MeshModel

/// What decides about the requests to one service becomes the routes of its HTTP ports.
struct RouteLowering {
    let state: MeshState
    let name: NamespacedName
    let service: MeshState.Service
    /// VirtualServices with this host, in any order.
    let rules: [NamespacedName]
    /// Releases of this service, in any order.
    let releases: [NamespacedName]
    var diagnostics: [Diagnostic] = []

    /// - Parameter policies: those of a service.
    mutating func virtualHosts(_ policies: (NamespacedName) -> PolicyLowering) -> [IR.VirtualHost] {
        let owner = owner()
        let releases = validReleases()
        let ports = service.spec.ports.filter(\.appProtocol.isHTTP)
        return ports.map { port in
            var routes: [IR.Route] = []
            let base = owner.flatMap { baseForward(of: $0, port: port.number) }
            for (release, traffic) in releases where traffic.covers(port: port.number) {
                routes += ReleaseLowering(
                    name: release, traffic: traffic, port: port.number, base: base ?? .standard
                ).routes()
            }
            if let owner {
                routes += userRoutes(of: owner, port: port.number)
            } else {
                routes.append(defaultRoute(port: port.number))
            }
            routes = routes.map { $0.hashing(policies) }
            return IR.VirtualHost(
                service: name, port: port.number, isDefaultPort: port.number == ports.first?.number, routes: routes)
        }
    }

    /// The VirtualService whose rules hold. Several for one host are not merged: one of the service's own namespace goes
    /// before others, so nobody can take a host away from its owner; then the oldest holds.
    private mutating func owner() -> NamespacedName? {
        let candidates = rules.filter { state.virtualServices[$0]?.spec.appliesToSidecars == true }
        let ordered = candidates.sorted { a, b in
            if (a.namespace == name.namespace) != (b.namespace == name.namespace) {
                return a.namespace == name.namespace
            }
            let ages = [a, b].map { state.virtualServices[$0]?.createTime ?? Timestamp(microseconds: 0) }
            return ages[0] == ages[1] ? a < b : ages[0] < ages[1]
        }
        for loser in ordered.dropFirst() {
            report(
                .virtualService, loser, pointer(toHostIn: loser), .conflict,
                "the rules of VirtualService \(ordered[0]) hold for service \(name); these do not", other: ordered[0])
        }
        return ordered.first
    }

    private func pointer(toHostIn rules: NamespacedName) -> JSONPointer {
        let hosts = state.virtualServices[rules]?.spec.hosts ?? []
        let index = hosts.firstIndex { HostName.service($0, from: rules.namespace) == name }
        return JSONPointer(["spec", "hosts"]).appending(index ?? 0)
    }

    private func defaultRoute(port: Int) -> IR.Route {
        let stable = service.status.stableVersion.flatMap { service.spec.hasVersion($0) ? $0 : nil }
        let cluster = IR.ClusterName(service: name, port: port, version: stable)
        return IR.Route(
            name: "default", origin: .service, match: .any,
            action: .forward(ForwardSettings.standard.forward(to: cluster)),
            fault: nil, headers: HeaderOperations())
    }

    // MARK: - Rules of users

    private mutating func userRoutes(of owner: NamespacedName, port: Int) -> [IR.Route] {
        guard let rules = state.virtualServices[owner] else { return [] }
        var routes: [IR.Route] = []
        for (index, rule) in rules.spec.http.enumerated() {
            let here = JSONPointer(["spec", "http"]).appending(index)
            let matches = rule.match.enumerated().filter { $0.element.port == nil || $0.element.port == port }
            if matches.isEmpty && !rule.match.isEmpty { continue }
            if routes.last?.match.isAny == true {
                report(
                    .virtualService, owner, here, .unreachable,
                    "no request gets here: a rule before this one takes every request to port \(port)")
                break
            }
            let action = lowered(rule, of: owner, revision: rules.revision, port: port, at: here)
            let base = rule.name ?? "\(owner.name).\(owner.namespace)/http/\(index)"
            if rule.match.isEmpty {
                routes.append(
                    IR.Route(
                        name: base, origin: .rules(owner, index: index, match: nil, name: rule.name), match: .any,
                        action: action, fault: rule.fault, headers: rule.headers))
            }
            for (place, match) in matches {
                routes.append(
                    IR.Route(
                        name: match.name.map { "\(base).\($0)" } ?? base,
                        origin: .rules(owner, index: index, match: place, name: rule.name),
                        match: IR.RouteMatch(match), action: action, fault: rule.fault, headers: rule.headers))
                if routes.last?.match.isAny == true { break }
            }
        }
        return routes
    }

    private mutating func lowered(
        _ rule: HTTPRule, of owner: NamespacedName, revision: Revision, port: Int, at here: JSONPointer
    ) -> IR.Action {
        switch rule.action {
        case .redirect(let redirect): return .redirect(redirect)
        case .directResponse(let response): return .respond(status: response.status, body: response.body)
        case .route(let destinations):
            var shares: [IR.Share] = []
            for (index, part) in destinations.enumerated() where part.weight > 0 {
                let at = here.appending("route").appending(index).appending("destination")
                guard let cluster = cluster(part.destination, of: owner, revision: revision, port: port, at: at) else {
                    continue
                }
                shares.append(
                    IR.Share(cluster: cluster, basisPoints: part.weight * 100, headers: part.headers))
            }
            // Nobody is there to send it to: an error for these requests, and the rest of the mesh goes on.
            guard !shares.isEmpty else { return .respond(status: 503, body: nil) }
            var settings = ForwardSettings(rule)
            settings.mirrors = mirrors(of: rule, owner: owner, revision: revision, port: port, at: here)
            return .forward(settings.forward(to: IR.Share.merged(shares)))
        }
    }

    private mutating func mirrors(
        of rule: HTTPRule, owner: NamespacedName, revision: Revision, port: Int, at here: JSONPointer
    ) -> [IR.Mirror] {
        guard let mirror = rule.mirror else { return [] }
        let at = here.appending("mirror")
        guard let cluster = cluster(mirror.destination, of: owner, revision: revision, port: port, at: at) else {
            return []
        }
        return [IR.Mirror(cluster: cluster, partsPerMillion: Int((mirror.percentage ?? .all).partsPerMillion))]
    }

    /// The cluster of a destination, re-pointed by the promotions that came after the rule was written.
    private mutating func cluster(
        _ destination: Destination, of owner: NamespacedName, revision: Revision, port: Int, at pointer: JSONPointer
    ) -> IR.ClusterName? {
        let resolver = DestinationResolver(services: state.services, namespace: owner.namespace)
        do throws(DestinationResolver.Unknown) {
            let target = try resolver.target(of: destination, own: name)
            let port = try resolver.port(of: destination, at: target, called: port)
            var version = target.version
            let (spec, status) = (target.service.spec, target.service.status)
            if let named = version, status.promotion(from: named) != nil, let stable = status.stableVersion,
                spec.hasVersion(stable)
            {
                version = stable
            }
            return IR.ClusterName(service: target.name, port: port, version: version)
        } catch {
            let at = error.field.reduce(pointer) { $0.appending($1) }
            report(.virtualService, owner, at, .unknownReference, error.detail)
            return nil
        }
    }

    // MARK: - Releases

    /// What releases leave as it is: the settings of the first rule for all requests.
    private mutating func baseForward(of owner: NamespacedName, port: Int) -> ForwardSettings? {
        guard let rules = state.virtualServices[owner] else { return nil }
        let index = rules.spec.http.firstIndex { rule in
            rule.match.isEmpty
                || rule.match.contains { ($0.port == nil || $0.port == port) && IR.RouteMatch($0).isAny }
        }
        guard let index else { return nil }
        let rule = rules.spec.http[index]
        guard case .route = rule.action else { return nil }
        let here = JSONPointer(["spec", "http"]).appending(index)
        var settings = ForwardSettings(rule)
        settings.mirrors = mirrors(of: rule, owner: owner, revision: rules.revision, port: port, at: here)
        return settings
    }

    /// Releases that have everything they name, by name.
    private mutating func validReleases() -> [(NamespacedName, ReleaseTraffic)] {
        var valid: [(NamespacedName, ReleaseTraffic)] = []
        for release in releases.sorted() {
            guard let traffic = state.releases[release], traffic.isEffective else { continue }
            guard service.spec.ports.contains(where: { $0.appProtocol.isHTTP && traffic.covers(port: $0.number) })
            else {
                report(
                    .release, release, .spec.appending("port"), .unknownReference,
                    "service \(name) has no HTTP port that the release is about; it has no effect")
                continue
            }
            let roles = [("stable", traffic.stable), ("canary", traffic.canary)]
            if let (role, missing) = roles.first(where: { !service.spec.hasVersion($0.1) }) {
                report(
                    .release, release, .spec.appending(role).appending("version"), .unknownReference,
                    "service \(name) has no version \(missing); the release has no effect")
                continue
            }
            valid.append((release, traffic))
        }
        return valid
    }

    /// - Parameter other: of the same kind.
    private mutating func report(
        _ kind: Kind, _ object: NamespacedName, _ pointer: JSONPointer, _ code: Diagnostic.Code, _ detail: String,
        other: NamespacedName? = nil
    ) {
        let diagnostic = Diagnostic(
            .namespaced(kind, object, in: state.mesh), pointer, code, detail,
            other: other.map { .namespaced(kind, $0, in: state.mesh) })
        // Every port of the service meets the same mistakes.
        if !diagnostics.contains(diagnostic) { diagnostics.append(diagnostic) }
    }
}

extension IR.Route {
    /// The route with what its destinations are hashed by.
    fileprivate func hashing(_ policies: (NamespacedName) -> PolicyLowering) -> IR.Route {
        guard case .forward(var forward) = action else { return self }
        for share in forward.destinations {
            guard
                case .consistentHash(let hash)? = policies(share.cluster.service).policy(of: share.cluster).loadBalancer,
                !forward.hashOn.contains(hash.source)
            else { continue }
            forward.hashOn.append(hash.source)
        }
        var route = self
        route.action = .forward(forward)
        return route
    }
}
