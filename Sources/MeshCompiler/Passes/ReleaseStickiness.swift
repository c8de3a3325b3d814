internal import GrayRelease
internal import MeshCore
internal import MeshModel

extension Stickiness {
    /// The key as it is said of hashing.
    var key: ConsistentHash.Source {
        switch source {
        case .header(let name): .header(name)
        case .cookie(let cookie): .cookie(ConsistentHash.Cookie(cookie.name))
        case .sourceAddress: .sourceIP
        }
    }

    /// The stickiness of a rule's routes, besides how its destinations are hashed.
    ///
    /// A cookie that callers are given for a destination's sake they are given for the release's too.
    ///
    /// - Returns: `nil` if a destination is hashed by another key.
    func route(besides hashes: [DestinationHash]) -> IR.Stickiness? {
        guard hashes.allSatisfy({ $0.source.isSame(as: key) }) else { return nil }
        var keys = [key]
        if let fallback { keys.append(.cookie(ConsistentHash.Cookie(fallback.name))) }
        var given = cookie.flatMap { cookie in
            cookie.ttl.map { ConsistentHash.Cookie(cookie.name, ttl: $0, path: "/") }
        }
        for case .cookie(let cookie) in hashes.map(\.source) where given == nil && cookie.ttl != nil { given = cookie }
        return IR.Stickiness(keys: keys, given: given)
    }
}

extension ConsistentHash.Cookie {
    fileprivate init(_ name: String, ttl: Duration? = nil, path: String? = nil) {
        self.init()
        self.name = name
        self.ttl = ttl
        self.path = path
    }
}

extension ConsistentHash.Source {
    /// Whether both tell the same requests apart: a cookie's lifetime is no difference, nor is how a header is spelt.
    func isSame(as other: Self) -> Bool {
        switch (self, other) {
        case (.header(let name), .header(let other)): name.lowercased() == other.lowercased()
        case (.cookie(let cookie), .cookie(let other)): cookie.name == other.name
        default: self == other
        }
    }

    /// For people.
    var description: String {
        switch self {
        case .header(let name): "header \(name)"
        case .cookie(let cookie): "cookie \(cookie.name)"
        case .sourceIP: "source address"
        case .queryParameter(let name): "query parameter \(name)"
        }
    }
}

/// The hashing of requests to a destination of a rule.
struct DestinationHash: Hashable {
    var host: Host
    var source: ConsistentHash.Source
    /// The destination rule that wants it.
    var rule: NamespacedName?
}

extension RouteLowering {
    /// How requests to the destinations of a rule are hashed, in their order, while a release divides it.
    mutating func hashes(of rule: RuleDestinations, dividedBy traffic: ReleaseTraffic) -> [DestinationHash] {
        var hashes: [DestinationHash] = []
        for destination in rule.all where destination.weight > 0 {
            let versions = traffic.divides(destination) ? [traffic.canary, traffic.stable] : [destination.version]
            for version in versions {
                let cluster = IR.ClusterName(host: destination.host, port: destination.port, version: version)
                guard let hash = hash(of: cluster), !hashes.contains(hash) else { continue }
                hashes.append(hash)
            }
        }
        return hashes
    }

    /// Why a release cannot keep users on one version of what a rule sends to: a sentence; `nil`: it can, or is not to.
    mutating func stickinessConflict(of traffic: ReleaseTraffic, with rule: RuleDestinations) -> String? {
        guard let stickiness = traffic.stickiness else { return nil }
        let other = hashes(of: rule, dividedBy: traffic).first { !$0.source.isSame(as: stickiness.key) }
        guard let other else { return nil }
        let by = other.rule.map { " by DestinationRule \($0)" } ?? ""
        return
            "users are told apart by \(stickiness.key.description), but requests to \(other.host.noun) \(other.host) are hashed"
            + "\(by) by \(other.source.description): a proxy looks at one key for both"
    }
}
