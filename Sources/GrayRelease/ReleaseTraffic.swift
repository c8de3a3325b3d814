package import MeshCore

/// The effect of a release on the traffic of one service right now: the part of a release that is compiled.
///
/// Derived from the release's committed status only, so every replica compiles the same routes.
package struct ReleaseTraffic: Hashable, Sendable {
    /// A copy of requests sent to the canary, whose answers are thrown away. (mirror, shadow)
    package struct Mirror: Hashable, Sendable {
        package var share: TrafficShare
        /// Empty: all methods.
        package var methods: [String]

        package init(share: TrafficShare, methods: [String]) {
            self.share = share
            self.methods = methods
        }
    }

    package var service: NamespacedName
    /// The port whose requests are split. `nil`: all HTTP ports of the service, as far as ``ports`` selects them.
    package var port: Int?
    package var stable: Name
    package var canary: Name
    /// The share of the canary in the traffic in scope that no match decides.
    package var canaryShare: TrafficShare
    /// Requests that fit any of these go to the canary.
    package var matches: [ContentMatch]
    package var mirror: Mirror?
    /// Which requests are split: any of these paths. `[.prefix("/")]` is all of them.
    package var paths: [StringMatch]
    /// Which rules are split: `*` (all that pin no requests), `name` or `virtualService/name`. A rule that pins requests is
    /// split only if it is named. Empty: as `*`.
    package var rules: [String]
    /// Which ports' requests are split. Empty: all that ``port`` selects.
    package var ports: [Int]
    /// How users are kept on one version while both have a share. `nil`: they are not.
    package var stickiness: Stickiness?

    package init(
        service: NamespacedName, port: Int? = nil, stable: Name, canary: Name, canaryShare: TrafficShare = .none,
        matches: [ContentMatch] = [], mirror: Mirror? = nil, paths: [StringMatch] = [.prefix("/")],
        rules: [String] = [], ports: [Int] = [], stickiness: Stickiness? = nil
    ) {
        self.service = service
        self.port = port
        self.stable = stable
        self.canary = canary
        self.canaryShare = canaryShare
        self.matches = matches
        self.mirror = mirror
        self.paths = paths
        self.rules = rules
        self.ports = ports
        self.stickiness = stickiness
    }

    /// Whether requests to one of the service's ports are in scope.
    package func covers(port number: Int) -> Bool {
        (port == nil || port == number) && (ports.isEmpty || ports.contains(number))
    }

    /// Whether both versions have a share, so that users can be kept on one of them.
    package var isDivided: Bool { canaryShare > .none && canaryShare < .all }

    /// Whether the release changes any route: before the first step and after a rollback it does not.
    package var isEffective: Bool { canaryShare > .none || !matches.isEmpty || mirror != nil }

    /// Whether the canary gets most of the requests with this, or those of everybody: what only some may decide.
    package static func isMost(_ share: TrafficShare, _ matches: [ContentMatch]) -> Bool {
        share.basisPoints > TrafficShare.all.basisPoints / 2 || matches.contains(where: \.isWide)
    }
}

extension ContentMatch {
    /// Whether requests fit that carry no mark of their own: everybody may be asked for.
    fileprivate var isWide: Bool { headers.isEmpty && cookies.isEmpty && queryParams.isEmpty }
}
