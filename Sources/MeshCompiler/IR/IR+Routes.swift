package import MeshModel

extension IR {
    /// The routes of one port of a service, whatever name callers use for it.
    package struct VirtualHost: Hashable, Sendable {
        package var service: NamespacedName
        package var port: Int
        /// Whether callers that name no port mean this one: the service's first HTTP port.
        package var isDefaultPort: Bool
        /// The first that fits decides; a request that none fits is answered 404.
        package var routes: [Route]
    }

    /// Which object wants a route.
    package enum Origin: Hashable, Sendable {
        /// No rule: requests go to the service.
        case service
        /// A rule of a VirtualService, by its place in `http`, with its name if it has one; `match` is the place in the
        /// rule's `match` of the condition that the route is for, `nil` for a rule without conditions.
        case rules(NamespacedName, index: Int, match: Int?, name: String?)
        case release(NamespacedName)
    }

    package struct Route: Hashable, Sendable {
        package var name: String
        package var origin: Origin
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
        /// All of them must hold; `[.prefix("/")]` is any path. Never empty.
        package var paths: [StringMatch]
        package var ignoresCase: Bool
        package var method: StringMatch?
        package var scheme: StringMatch?
        package var authority: StringMatch?
        /// Sorted by name.
        package var headers: [Condition]
        package var withoutHeaders: [Condition]
        package var cookies: [Condition]
        package var queryParams: [Condition]

        package struct Condition: Hashable, Sendable {
            package var name: String
            package var match: StringMatch
        }

        package static let any = RouteMatch()

        init(paths: [StringMatch] = [.prefix("/")]) {
            self.paths = paths
            ignoresCase = false
            headers = []
            withoutHeaders = []
            cookies = []
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
        /// At least one; shares add up to 10 000, and none is 0.
        package var destinations: [Share]
        /// `nil`: no limit.
        package var timeout: Duration?
        package var retries: HTTPRetries
        package var rewrite: HTTPRewrite?
        package var mirrors: [Mirror]
        /// What chooses the endpoint where a destination goes by consistent hashing: the first that a request has. Without
        /// repetition, in the order of the destinations.
        package var hashOn: [ConsistentHash.Source] = []
    }

    /// A part of a route's requests.
    package struct Share: Hashable, Sendable {
        package var cluster: ClusterName
        /// Basis points, `1...10_000`.
        package var basisPoints: Int
        package var headers: HeaderOperations
    }

    package struct Mirror: Hashable, Sendable {
        package var cluster: ClusterName
        /// `0...1_000_000`.
        package var partsPerMillion: Int
    }
}
