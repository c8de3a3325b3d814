package import MeshCore
package import MeshModel

extension IR {
    /// The routes of one port of a host, whatever name callers use for it.
    package struct VirtualHost: Hashable, Sendable {
        package var host: Host
        package var port: Int
        /// Whether callers that name no port mean this one: the service's first HTTP port.
        package var isDefaultPort: Bool
        /// The first that fits decides; a request that none fits is answered 404.
        package var routes: [Route]
    }

    /// Which object wants a route.
    package enum Origin: Hashable, Sendable {
        /// No rule: requests go to the host itself.
        case service
        /// A rule of a VirtualService, by its place in `http`, with its name if it has one; `match` is the place in the
        /// rule's `match` of the condition that the route is for, `nil` for a rule without conditions.
        case rules(NamespacedName, index: Int, match: Int?, name: String?)
    }

    /// The part of a release in a route: its share of the rule's own route, or a route that it adds before that one.
    package struct ReleasePart: Hashable, Sendable {
        package var release: NamespacedName
        /// Whether the route is a copy of its rule with a further condition.
        package var isCopy: Bool
    }

    package struct Route: Hashable, Sendable {
        package var name: String
        /// The rule, also where the route is a release's copy of it.
        package var origin: Origin
        /// The releases that have a say in it. Empty where none has.
        package var releases: [ReleasePart] = []
        package var match: RouteMatch
        package var action: Action
        package var fault: HTTPFault?
        package var headers: HeaderOperations
    }

    package enum Action: Hashable, Sendable {
        case forward(Forward)
        case redirect(HTTPRedirect)
        case respond(status: Int, body: String?)
    }

    /// A condition on a request: all parts must hold.
    package struct RouteMatch: Hashable, Sendable {
        /// The condition on the path, without its query: `.prefix("/")` is any. A rewrite replaces the part that it
        /// matched, so further conditions on the path stand in ``headers``, as conditions on `:path`.
        package var path: StringMatch
        package var ignoresCase: Bool
        package var method: StringMatch?
        package var scheme: StringMatch?
        package var authority: StringMatch?
        /// Sorted by name, those of a rule before those of a release; conditions on cookies are conditions on `cookie`.
        package var headers: [Condition]
        package var withoutHeaders: [Condition]
        package var queryParams: [Condition]

        package struct Condition: Hashable, Sendable {
            package var name: String
            package var match: StringMatch
        }

        package static let any = RouteMatch()

        init(path: StringMatch = .prefix("/")) {
            self.path = path
            ignoresCase = false
            headers = []
            withoutHeaders = []
            queryParams = []
        }

        /// Whether every request fits.
        package var isAny: Bool {
            var path = self
            path.ignoresCase = false
            return path == .any
        }

        static func conditions(_ matches: [String: StringMatch]) -> [Condition] {
            matches.map { Condition(name: $0.key, match: $0.value) }.sorted { $0.name < $1.name }
        }
    }

    /// Sending a request on.
    package struct Forward: Hashable, Sendable {
        /// At least one, none of weight 0. Weights are those of the rule, per cent, times basis points, so that a release's
        /// share is exact: nothing is rounded. They add up to ``Share/total``, or to less where a destination is gone.
        package var destinations: [Share]
        /// `nil`: no limit.
        package var timeout: Duration?
        package var retries: HTTPRetries
        package var rewrite: HTTPRewrite?
        package var mirrors: [Mirror]
        /// The hash policy for destinations with consistent hashing: the first source that a request has chooses the
        /// endpoint. Without repetition, in the order of the destinations.
        package var hashOn: [ConsistentHash.Source] = []
        /// `nil`: any request goes to any destination.
        package var stickiness: Stickiness?
    }

    /// Keeping users on one of a route's destinations: the hash by which an endpoint is chosen chooses the destination too.
    package struct Stickiness: Hashable, Sendable {
        /// The parts of a request that are hashed: the first that it has. One with none of them goes to any destination.
        package var keys: [ConsistentHash.Source]
        /// The cookie that callers are given where their requests have none of ``keys``. Such requests have a route of their own.
        package var given: ConsistentHash.Cookie?
        /// Whether this is the route of requests without a key: they are given the cookie, whose value is the id that every request
        /// has, and that they are hashed by. So who sends it back stays where the first request went. Envoy's own cookie, which
        /// it gives for the choice of an endpoint only, says nothing of where that one went.
        package var givesCookie = false

        /// The header with the id of a request, which Envoy gives to those without one.
        package static let requestID = "x-request-id"
    }

    /// A part of a route's requests.
    package struct Share: Hashable, Sendable {
        package var cluster: ClusterName
        /// `1...1_000_000`, in relation to the others of the route.
        package var weight: Int
        package var headers: HeaderOperations

        /// The sum of a route's weights: 100 per cent of 10 000 basis points. Envoy takes any sum below 2³²
        /// (`WeightedCluster`, route_components.proto).
        package static let total = 1_000_000
    }

    package struct Mirror: Hashable, Sendable {
        package var cluster: ClusterName
        /// `0...1_000_000`.
        package var partsPerMillion: Int
    }
}
