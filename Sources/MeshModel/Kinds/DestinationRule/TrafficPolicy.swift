package import Documents
internal import MeshCore

/// How callers treat the endpoints of a service, with the fields of Istio's `TrafficPolicy`.
package struct TrafficPolicy: Document {
    /// The blocks of a policy, for all ports or for one. Each block is replaced as a whole.
    package struct Blocks: Document {
        package var loadBalancer: LoadBalancer?
        package var connectionPool: ConnectionPool?
        package var outlierDetection: OutlierDetection?

        package init() {}

        package static let fields: [Field<Self>] = [
            .optional("loadBalancer", \.loadBalancer, .document, "Which endpoint a request goes to."),
            .optional("connectionPool", \.connectionPool, .document, "What one caller may have open or waiting."),
            .optional(
                "outlierDetection", \.outlierDetection, .document,
                "When an endpoint that fails is left out for a while."),
            .refused("tls", "connections between workloads are not encrypted yet"),
            .refused("retryBudget", "retries are bounded by maxRetries of the connection pool"),
        ]

        fileprivate var hashesRequests: Bool {
            if case .consistentHash? = loadBalancer { true } else { false }
        }

        /// These where they say something, others where not.
        func over(_ other: Blocks) -> Blocks {
            var result = self
            result.loadBalancer = loadBalancer ?? other.loadBalancer
            result.connectionPool = connectionPool ?? other.connectionPool
            result.outlierDetection = outlierDetection ?? other.outlierDetection
            return result
        }
    }

    /// The policy for one port, as Istio's `portLevelSettings`. It stands for itself: nothing of ``common`` is added.
    package struct Port: Document {
        /// `1...65_535`.
        package var number = 0
        package var blocks = Blocks()

        package init() {}

        package static let schemaName: String? = nil
        package static let fields: [Field<Self>] = [
            .required("port", \.number, .object(of: "number", .port, "One of the service's."), "Which port."),
            .inlined(\.blocks),
        ]
    }

    package var common = Blocks()
    /// By number; at most 32, one a port.
    package var portLevelSettings: [Port] = []

    package init() {}

    package static let fields: [Field<Self>] = [
        .inlined(\.common),
        .defaulted(
            "portLevelSettings", \.portLevelSettings,
            .list(of: .document, 0...32, Uniqueness({ $0.number }, at: ["port", "number"], "ports must be unique")),
            "What holds for one port. It stands for itself; nothing of the rest is added."),
        .refused("tunnel", "requests go to endpoints directly"),
        .refused("proxyProtocol", "endpoints are told nothing about the caller's connection"),
    ]

    package mutating func finish(_ reading: Members) { portLevelSettings.sort { $0.number < $1.number } }

    /// The blocks that are given for a port alone; `nil`: none are.
    func blocks(ofPort number: Int) -> Blocks? { portLevelSettings.first { $0.number == number }?.blocks }

    func blocks(port: Int) -> Blocks { blocks(ofPort: port) ?? common }

    var hashesRequests: Bool { common.hashesRequests || portLevelSettings.contains { $0.blocks.hashesRequests } }
}

/// Limits of what one caller may have open or waiting at a service. What is not given is not limited.
package struct ConnectionPool: Document {
    package struct Keepalive: Document {
        /// Probes without answer until a connection counts as dead; at least 1. `nil`: the system's number.
        package var probes: Int?
        /// Idle time before the first probe, whole seconds. `nil`: the system's.
        package var time: Duration?
        /// Between probes, whole seconds. `nil`: the system's.
        package var interval: Duration?

        package init() {}

        package static let schemaName: String? = nil
        package static let fields: [Field<Self>] = [
            .optional(
                "probes", \.probes, .integer(1...1000), "Probes without answer until a connection counts as dead."),
            .optional("time", \.time, .duration(seconds), "Idle time before the first probe."),
            .optional("interval", \.interval, .duration(seconds), "Between probes."),
        ]
        private static let seconds: ClosedRange<Duration> = .seconds(1)...(.seconds(86_400))
    }

    /// At least 1.
    package var maxConnections: Int?
    /// Default 10 s.
    package var connectTimeout: Duration?
    package var maxConnectionDuration: Duration?
    package var tcpKeepalive: Keepalive?
    /// Requests that wait for a connection; at least 1.
    package var maxPendingRequests: Int?
    /// Requests that are under way; at least 1.
    package var maxRequests: Int?
    /// After as many a connection is closed; 0: never.
    package var maxRequestsPerConnection: Int?
    /// Retries that are under way; at least 1.
    package var maxRetries: Int?
    /// After so long without a request a connection is closed. Default 1 h.
    package var idleTimeout: Duration?
    /// Requests at once on one HTTP/2 connection; at least 1.
    package var maxConcurrentStreams: Int?

    package init() {}

    package static let fields: [Field<Self>] = [
        .group("tcp", tcp, "Limits of connections."),
        .group("http", http, "Limits of requests on them."),
    ]
    package static let summary: String? = "A number that is not given is not limited."

    private static let count = 1...Int(Int32.max)
    private static let positive: ClosedRange<Duration> = .milliseconds(1)...(.seconds(365 * 86_400))

    private static let tcp: [Field<Self>] = [
        .optional("maxConnections", \.maxConnections, .integer(count), "Connections to all endpoints together."),
        .optional(
            "connectTimeout", \.connectTimeout, .duration(positive), standard: .seconds(10),
            "How long to wait for a connection to an endpoint."),
        .optional(
            "maxConnectionDuration", \.maxConnectionDuration, .duration(positive),
            "After so long a connection of an HTTP port is closed."),
        .optional("tcpKeepalive", \.tcpKeepalive, .document, "Probes of idle connections; left out, there are none."),
        .refused(
            "idleTimeout",
            "idle connections of TCP ports are closed after an hour, those of HTTP ports by idleTimeout of http"),
    ]

    private static let http: [Field<Self>] = [
        .optional(
            "http1MaxPendingRequests", \.maxPendingRequests, .integer(count), "Requests that wait for a connection."),
        .optional("http2MaxRequests", \.maxRequests, .integer(count), "Requests that are under way, HTTP/1 included."),
        .optional(
            "maxRequestsPerConnection", \.maxRequestsPerConnection, .integer(0...count.upperBound),
            "After as many a connection is closed; 0: never."),
        .optional("maxRetries", \.maxRetries, .integer(count), "Retries that are under way."),
        .optional(
            "idleTimeout", \.idleTimeout, .duration(positive), standard: .seconds(3600),
            "After so long without a request a connection is closed."),
        .optional(
            "maxConcurrentStreams", \.maxConcurrentStreams, .integer(count),
            "Requests at once on one HTTP/2 connection."),
        .refused("h2UpgradePolicy", "a service's port says which protocol it speaks"),
        .refused("useClientProtocol", "a service's port says which protocol it speaks"),
        .refused("http2KeepAlive", "HTTP/2 pings are not sent"),
    ]
}

/// When an endpoint that fails is left out for a while.
package struct OutlierDetection: Document {
    /// Failures in a row (5xx or no answer) after which an endpoint is left out. 0: never; `nil`: Envoy's default, 5.
    package var consecutive5xxErrors: Int?
    /// Gateway errors in a row (502, 503, 504 or no answer) after which an endpoint is left out. 0 or `nil`: never.
    package var consecutiveGatewayErrors: Int?
    /// Failures to connect or to get an answer are counted by themselves, not as 5xx.
    package var splitExternalLocalOriginErrors = false
    /// If those are counted by themselves: how many in a row. `nil`: Envoy's default, 5.
    package var consecutiveLocalOriginFailures: Int?
    /// How often is looked. Default 10 s.
    package var interval: Duration?
    /// How long the first time; each time is longer. Default 30 s.
    package var baseEjectionTime: Duration?
    /// The share of all endpoints that may be left out, `0...100` per cent; at least one can be, unless this is 0.
    /// Default 10.
    package var maxEjectionPercent: Int?
    /// With less than this percentage of endpoints left, all are used again; `0...100`. Default 0.
    package var minHealthPercent: Int?

    package init() {}

    package static let fields: [Field<Self>] = [
        .optional(
            "consecutive5xxErrors", \.consecutive5xxErrors, .integer(errors), standard: 5,
            "Failures in a row (5xx or no answer) after which an endpoint is left out. 0: never."),
        .optional(
            "consecutiveGatewayErrors", \.consecutiveGatewayErrors, .integer(errors), standard: 0,
            "As consecutive5xxErrors, but 502, 503, 504 and no answer only. 0: never."),
        .defaulted(
            "splitExternalLocalOriginErrors", \.splitExternalLocalOriginErrors, .bool, isWritten: false,
            "Failures to connect or to get an answer are counted by themselves, not as 5xx."),
        .optional(
            "consecutiveLocalOriginFailures", \.consecutiveLocalOriginFailures, .integer(errors), standard: 5,
            "If those are counted by themselves: how many in a row."),
        .optional("interval", \.interval, .duration(positive), standard: .seconds(10), "How often is looked."),
        .optional(
            "baseEjectionTime", \.baseEjectionTime, .duration(positive), standard: .seconds(30),
            "How long an endpoint is left out the first time; each time is longer."),
        .optional(
            "maxEjectionPercent", \.maxEjectionPercent, .integer(0...100), standard: 10,
            "Of all endpoints; one can always be left out, unless it is 0."),
        .optional(
            "minHealthPercent", \.minHealthPercent, .integer(0...100), standard: 0,
            "With less than this percentage of endpoints left, all are used again."),
        .refused("consecutiveErrors", "consecutiveGatewayErrors and consecutive5xxErrors have taken its place"),
        .refused("outlierDetectionHttpErrorCodes", "which answers are errors cannot be chosen"),
    ]

    private static let errors = 0...1_000_000
    private static let positive: ClosedRange<Duration> = .milliseconds(1)...(.seconds(86_400))
}
