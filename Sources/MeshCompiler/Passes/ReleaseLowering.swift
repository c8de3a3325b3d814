internal import GrayRelease
internal import MeshCore
internal import MeshModel

/// A route before releases are done with it: one of a rule's matches, with its destinations.
///
/// Releases are applied one after the other, each to what the one before made of the route, so that rules which send to
/// several released services have every combination.
struct RouteDraft {
    /// A part of the requests, and the destination of the document that it is of.
    struct Part {
        var destination: RuleDestination
        var version: Name?
        /// Per cent times basis points.
        var weight: Int
        var headers: HeaderOperations
    }

    var name: String
    var match: IR.RouteMatch
    var parts: [Part]
    var mirrors: [IR.Mirror]
    var releases: [IR.ReleasePart] = []
    /// `nil`: no release keeps users on one of the destinations.
    var stickiness: IR.Stickiness?

    init(_ name: String, _ match: IR.RouteMatch, to rule: RuleDestinations, mirrors: [IR.Mirror]) {
        self.name = name
        self.match = match
        self.mirrors = mirrors
        parts = rule.all.filter { $0.weight > 0 }.map {
            Part(
                destination: $0, version: $0.version, weight: $0.weight * 10_000,
                headers: rule.headers(of: $0, to: $0.version))
        }
    }

    var shares: [IR.Share] {
        IR.Share.merged(
            parts.map {
                let cluster = IR.ClusterName(
                    host: $0.destination.host, port: $0.destination.port, version: $0.version)
                return IR.Share(cluster: cluster, weight: $0.weight, headers: $0.headers)
            })
    }
}

/// The change that a running release makes to the routes of one rule.
///
/// A release owns shares, not routes: nothing else that a rule says changes because a release runs. Of the rules that it
/// divides (``RouteEffect/Class/split``) it changes the weights of the service's destinations, exactly; and where it decides
/// by content, it puts copies of the rule with a further condition directly before it.
struct ReleaseLowering {
    let name: NamespacedName
    let traffic: ReleaseTraffic
    let rule: RuleDestinations
    /// `nil`: users are not kept on a version.
    let stickiness: IR.Stickiness?

    func routes(_ draft: RouteDraft) -> [RouteDraft] {
        guard traffic.isEffective, traffic.classify(rule) == .split else { return [draft] }
        let paths = traffic.paths.contains(where: \.isAnyPath) ? [StringMatch.present] : traffic.paths
        let isWhole = paths == [.present]
        var routes: [RouteDraft] = []
        for (index, content) in traffic.matches.enumerated() {
            for path in paths {
                let match = draft.match.narrowed(toPath: path)?.narrowed(by: content)
                routes += copy(draft, "match-\(index)", match).map { divided($0, 10_000) }
            }
        }
        let isSplit = traffic.canaryShare > .none || traffic.mirror != nil
        guard isSplit else { return routes + [draft] }
        if let mirror = traffic.mirror, !mirror.methods.isEmpty {
            for path in paths {
                let match = draft.match.narrowed(toPath: path)?.narrowed(toMethods: mirror.methods)
                routes += copy(draft, "mirror", match).flatMap { split(mirrored($0, mirror)) }
            }
        }
        guard isWhole else {
            for path in paths {
                routes += copy(draft, "path", draft.match.narrowed(toPath: path)).flatMap {
                    split(mirroredForAll($0))
                }
            }
            return routes + [draft]
        }
        var whole = mirroredForAll(draft)
        whole.releases.append(IR.ReleasePart(release: name, isCopy: false))
        return routes + split(whole)
    }

    /// - Parameter match: `nil`: nothing fits both conditions, so there is no copy.
    private func copy(_ draft: RouteDraft, _ part: String, _ match: IR.RouteMatch?) -> [RouteDraft] {
        guard let match else { return [] }
        var copy = draft
        copy.name += "~\(name)/\(part)"
        copy.match = match
        copy.releases.append(IR.ReleasePart(release: name, isCopy: true))
        return [copy]
    }

    // MARK: - Shares

    /// A route with the canary's share and, where callers without a key are given a cookie, one for those before it.
    private func split(_ draft: RouteDraft) -> [RouteDraft] {
        var split = divided(draft, Int(traffic.canaryShare.basisPoints))
        guard let stickiness, draft.stickiness == nil else { return [split] }
        split.stickiness = stickiness
        guard stickiness.given != nil, let match = draft.match.without(stickiness.keys) else { return [split] }
        var keyless = split
        keyless.name += "~\(name)/cookie"
        keyless.match = match
        for index in keyless.releases.indices where keyless.releases[index].release == name {
            keyless.releases[index].isCopy = true
        }
        keyless.stickiness?.keys = [.header(IR.Stickiness.requestID)]
        keyless.stickiness?.givesCookie = true
        return [keyless, split]
    }

    /// Each released destination becomes canary and then stable, in its place. With a hash policy users then only move
    /// towards the canary while its share grows, and never to or from another destination.
    private func divided(_ draft: RouteDraft, _ canaryShare: Int) -> RouteDraft {
        var divided = draft
        divided.parts = draft.parts.flatMap { part -> [RouteDraft.Part] in
            guard traffic.divides(part.destination) else { return [part] }
            return [(traffic.canary, canaryShare), (traffic.stable, 10_000 - canaryShare)].map { version, share in
                var side = part
                side.version = version
                side.weight = part.weight / 10_000 * share
                side.headers = rule.headers(of: part.destination, to: version)
                return side
            }
        }
        return divided
    }

    // MARK: - Mirrors

    private func mirroredForAll(_ draft: RouteDraft) -> RouteDraft {
        guard let mirror = traffic.mirror, mirror.methods.isEmpty else { return draft }
        return mirrored(draft, mirror)
    }

    /// The canary gets copies of the service's part of the requests only: those of other destinations are not its own.
    private func mirrored(_ draft: RouteDraft, _ mirror: ReleaseTraffic.Mirror) -> RouteDraft {
        let divided = draft.parts.filter { traffic.divides($0.destination) }
        let total = draft.parts.reduce(0) { $0 + $1.weight }
        guard let port = divided.first?.destination.port, total > 0 else { return draft }
        let cluster = IR.ClusterName(host: traffic.host, port: port, version: traffic.canary)
        guard !draft.mirrors.contains(where: { $0.cluster == cluster }) else { return draft }
        let part = divided.reduce(0) { $0 + $1.weight }
        // Millionths are Envoy's finest; a mirror that is asked for has at least one.
        let millionths = max(1, (Int(mirror.share.basisPoints) * 100 * part + total / 2) / total)
        var mirrored = draft
        mirrored.mirrors.append(IR.Mirror(cluster: cluster, partsPerMillion: millionths))
        return mirrored
    }
}

extension StringMatch {
    /// Whether every path fits.
    var isAnyPath: Bool { self == .present || self == .prefix("") || self == .prefix("/") }
}
