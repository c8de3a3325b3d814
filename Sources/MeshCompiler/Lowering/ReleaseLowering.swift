internal import MeshModel

/// What a release makes of the traffic in its scope: routes that stand in front of the user's.
struct ReleaseLowering {
    let name: NamespacedName
    let traffic: ReleaseTraffic
    let port: Int
    /// What the user's rule for all requests says besides its destinations; a release replaces those and nothing else.
    let base: ForwardSettings

    /// For every path of the scope: what a match sends to the canary, then the split of the rest.
    func routes() -> [IR.Route] {
        traffic.paths.flatMap { path in
            let scope = path == .prefix("") || path == .present ? .prefix("/") : path
            return traffic.matches.enumerated().compactMap { index, match in
                IR.RouteMatch(match, within: scope).map { matched in
                    route("match-\(index)", matched, base.forward(to: cluster(traffic.canary)))
                }
            } + rest(of: scope)
        }
    }

    /// The requests that no match decides.
    private func rest(of scope: StringMatch) -> [IR.Route] {
        let match = IR.RouteMatch(paths: [scope])
        guard traffic.canaryShare > .none || traffic.mirror != nil else { return [] }
        let split = base.forward(to: shares)
        guard let mirror = traffic.mirror else { return [route("split", match, split)] }
        var mirrored = split
        mirrored.mirrors.append(
            IR.Mirror(cluster: cluster(traffic.canary), partsPerMillion: Int(mirror.share.basisPoints) * 100))
        guard !mirror.methods.isEmpty else { return [route("mirror", match, mirrored)] }
        var restricted = match
        restricted.method =
            mirror.methods.count == 1
            ? .exact(mirror.methods[0]) : .regex(mirror.methods.sorted().map(RE2.quoted).joined(separator: "|"))
        return [route("mirror", restricted, mirrored), route("split", match, split)]
    }

    /// The canary first: with a hash policy, users then only move towards it while its share grows.
    private var shares: [IR.Share] {
        [(traffic.canary, traffic.canaryShare), (traffic.stable, traffic.canaryShare.complement)].compactMap {
            $1 == .none
                ? nil : IR.Share(cluster: cluster($0), basisPoints: Int($1.basisPoints), headers: HeaderOperations())
        }
    }

    private func cluster(_ version: Name) -> IR.ClusterName {
        IR.ClusterName(service: traffic.service, port: port, version: version)
    }

    private func route(_ part: String, _ match: IR.RouteMatch, _ forward: IR.Forward) -> IR.Route {
        IR.Route(
            name: "release/\(name)/\(part)", origin: .release(name), match: match, action: .forward(forward),
            fault: base.fault, headers: base.headers)
    }
}

extension IR.RouteMatch {
    /// A release's match inside one path of its scope.
    ///
    /// - Returns: `nil` if no request can fit both.
    init?(_ match: ContentMatch, within scope: StringMatch) {
        guard let paths = Self.both(scope, match.path ?? .present) else { return nil }
        self.init(paths: paths)
        headers = Self.conditions(match.headers)
        cookies = Self.conditions(match.cookies)
        queryParams = Self.conditions(match.queryParams)
    }

    /// Two conditions on a path as one where that is possible.
    private static func both(_ a: StringMatch, _ b: StringMatch) -> [StringMatch]? {
        switch (a, b) {
        case (_, .present): [a]
        case (.present, _): [b]
        case (.exact(let x), .exact(let y)): x == y ? [a] : nil
        case (.exact(let x), .prefix(let y)): x.utf8.starts(with: y.utf8) ? [a] : nil
        case (.prefix(let x), .exact(let y)): y.utf8.starts(with: x.utf8) ? [b] : nil
        case (.prefix(let x), .prefix(let y)):
            x.utf8.starts(with: y.utf8) ? [a] : y.utf8.starts(with: x.utf8) ? [b] : nil
        case (.prefix("/"), .regex): [b]
        case (.regex, .prefix("/")): [a]
        default: [a, b]
        }
    }
}
