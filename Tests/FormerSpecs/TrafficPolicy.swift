import MeshCore
import Documents

/// How callers treat the endpoints of a service, with the fields of Istio's `TrafficPolicy`.
package struct TrafficPolicy: Hashable, Sendable {
    /// What is said together, and replaced block by block.
    package struct Blocks: Hashable, Sendable {
        package var loadBalancer: LoadBalancer?
        package var connectionPool: ConnectionPool?
        package var outlierDetection: OutlierDetection?

        package init() {}

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

        fileprivate init(_ fields: inout FieldReader) {
            loadBalancer = fields.object("loadBalancer").map { LoadBalancer(reading: $0) }
            connectionPool = fields.object("connectionPool").map { ConnectionPool(reading: $0) }
            outlierDetection = fields.object("outlierDetection").map { OutlierDetection(reading: $0) }
            fields.refuse(TrafficPolicy.unsupported)
        }

        package var json: JSONValue { .object(members) }

        fileprivate var members: [String: JSONValue] {
            let members = [
                "loadBalancer": loadBalancer?.json, "connectionPool": connectionPool?.json,
                "outlierDetection": outlierDetection?.json,
            ]
            return members.compactMapValues { $0 }
        }
    }

    package var common: Blocks
    /// By port number, `1...65_535`. What is said about a port stands for itself: nothing of ``common`` is added.
    package var portLevelSettings: [Int: Blocks]

    /// Fields of Istio's policies that mean something but are not carried out.
    fileprivate static let unsupported = ["tls", "retryBudget"]

    init(reading reader: FieldReader) {
        var fields = reader
        common = Blocks(&fields)
        portLevelSettings = [:]
        for var item in fields.objects("portLevelSettings", atMost: 32) {
            var port = item.object("port", required: true)
            let number = port?.integer("number", in: 1...65_535, required: true)
            port?.finish()
            let blocks = Blocks(&item)
            item.finish()
            guard let number else { continue }
            if portLevelSettings.updateValue(blocks, forKey: Int(number)) != nil {
                item.log.report(
                    item.pointer.appending("port").appending("number"), .duplicate, "ports must be unique")
            }
        }
        fields.refuse(["tunnel", "proxyProtocol"])
        fields.finish()
    }

    func blocks(port: Int) -> Blocks { portLevelSettings[port] ?? common }

    var hashesRequests: Bool { common.hashesRequests || portLevelSettings.values.contains { $0.hashesRequests } }

    var json: JSONValue {
        var members = common.members
        members["portLevelSettings"] = JSONValue.list(portLevelSettings.sorted { $0.key < $1.key }) { port, blocks in
            var members = blocks.members
            members["port"] = ["number": .integer(Int64(port))]
            return .object(members)
        }
        return .object(members)
    }
}

/// Limits of what one caller may have open or waiting at a service. What is not given is not limited.
package struct ConnectionPool: Hashable, Sendable {
    package struct Keepalive: Hashable, Sendable {
        /// Probes without answer until a connection counts as dead; at least 1. `nil`: the system's number.
        package var probes: Int?
        /// Idle time before the first probe, whole seconds. `nil`: the system's.
        package var time: Duration?
        /// Between probes, whole seconds. `nil`: the system's.
        package var interval: Duration?
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

    private static let count: ClosedRange<Int64> = 1...Int64(Int32.max)
    private static let positive: ClosedRange<Duration> = .milliseconds(1)...(.seconds(365 * 86_400))

    init(reading reader: FieldReader) {
        var fields = reader
        if var tcp = fields.object("tcp") {
            maxConnections = tcp.integer("maxConnections", in: Self.count).map { Int($0) }
            connectTimeout = tcp.duration("connectTimeout", in: Self.positive)
            maxConnectionDuration = tcp.duration("maxConnectionDuration", in: Self.positive)
            tcpKeepalive = tcp.object("tcpKeepalive").map { Self.keepalive($0) }
            tcp.refuse(["idleTimeout"])
            tcp.finish()
        }
        if var http = fields.object("http") {
            maxPendingRequests = http.integer("http1MaxPendingRequests", in: Self.count).map { Int($0) }
            maxRequests = http.integer("http2MaxRequests", in: Self.count).map { Int($0) }
            maxRequestsPerConnection = http.integer("maxRequestsPerConnection", in: 0...Self.count.upperBound)
                .map { Int($0) }
            maxRetries = http.integer("maxRetries", in: Self.count).map { Int($0) }
            idleTimeout = http.duration("idleTimeout", in: Self.positive)
            maxConcurrentStreams = http.integer("maxConcurrentStreams", in: Self.count).map { Int($0) }
            http.refuse(["h2UpgradePolicy", "useClientProtocol", "http2KeepAlive"])
            http.finish()
        }
        fields.finish()
    }

    private static func keepalive(_ reader: FieldReader) -> Keepalive {
        var fields = reader
        let seconds: ClosedRange<Duration> = .seconds(1)...(.seconds(86_400))
        let keepalive = Keepalive(
            probes: fields.integer("probes", in: 1...1000).map { Int($0) },
            time: fields.duration("time", in: seconds), interval: fields.duration("interval", in: seconds))
        fields.finish()
        return keepalive
    }

    var json: JSONValue {
        let keepalive = tcpKeepalive.map { keepalive in
            JSONValue.fields([
                "probes": .count(keepalive.probes), "time": .text(keepalive.time),
                "interval": .text(keepalive.interval),
            ])
        }
        let tcp = JSONValue.fields([
            "maxConnections": .count(maxConnections), "connectTimeout": .text(connectTimeout),
            "maxConnectionDuration": .text(maxConnectionDuration), "tcpKeepalive": keepalive,
        ])
        let http = JSONValue.fields([
            "http1MaxPendingRequests": .count(maxPendingRequests), "http2MaxRequests": .count(maxRequests),
            "maxRequestsPerConnection": .count(maxRequestsPerConnection), "maxRetries": .count(maxRetries),
            "idleTimeout": .text(idleTimeout), "maxConcurrentStreams": .count(maxConcurrentStreams),
        ])
        return .fields(["tcp": tcp.unlessEmpty, "http": http.unlessEmpty])
    }
}

/// When an endpoint that fails is left out for a while.
package struct OutlierDetection: Hashable, Sendable {
    /// Failures in a row (5xx or no answer) after which an endpoint is left out. 0: never; `nil`: Envoy's default, 5.
    package var consecutive5xxErrors: Int?
    /// As ``consecutive5xxErrors``, but 502, 503, 504 and no answer only. 0 or `nil`: never.
    package var consecutiveGatewayErrors: Int?
    /// Failures to connect or to get an answer are counted by themselves, not as 5xx.
    package var splitExternalLocalOriginErrors: Bool
    /// If those are counted by themselves: how many in a row. `nil`: Envoy's default, 5.
    package var consecutiveLocalOriginFailures: Int?
    /// How often is looked. Default 10 s.
    package var interval: Duration?
    /// How long the first time; each time is longer. Default 30 s.
    package var baseEjectionTime: Duration?
    /// Of all endpoints, `0...100`; at least one can always be left out, unless it is 0. Default 10.
    package var maxEjectionPercent: Int?
    /// With less than this percentage of endpoints left, all are used again; `0...100`. Default 0.
    package var minHealthPercent: Int?

    init(reading reader: FieldReader) {
        var fields = reader
        let errors: ClosedRange<Int64> = 0...1_000_000
        let positive: ClosedRange<Duration> = .milliseconds(1)...(.seconds(86_400))
        consecutive5xxErrors = fields.integer("consecutive5xxErrors", in: errors).map { Int($0) }
        consecutiveGatewayErrors = fields.integer("consecutiveGatewayErrors", in: errors).map { Int($0) }
        splitExternalLocalOriginErrors = fields.bool("splitExternalLocalOriginErrors") ?? false
        consecutiveLocalOriginFailures = fields.integer("consecutiveLocalOriginFailures", in: errors).map { Int($0) }
        interval = fields.duration("interval", in: positive)
        baseEjectionTime = fields.duration("baseEjectionTime", in: positive)
        maxEjectionPercent = fields.integer("maxEjectionPercent", in: 0...100).map { Int($0) }
        minHealthPercent = fields.integer("minHealthPercent", in: 0...100).map { Int($0) }
        fields.refuse(["consecutiveErrors", "outlierDetectionHttpErrorCodes"])
        fields.finish()
    }

    var json: JSONValue {
        .fields([
            "consecutive5xxErrors": .count(consecutive5xxErrors),
            "consecutiveGatewayErrors": .count(consecutiveGatewayErrors),
            "splitExternalLocalOriginErrors": splitExternalLocalOriginErrors ? true : nil,
            "consecutiveLocalOriginFailures": .count(consecutiveLocalOriginFailures),
            "interval": .text(interval), "baseEjectionTime": .text(baseEjectionTime),
            "maxEjectionPercent": .count(maxEjectionPercent), "minHealthPercent": .count(minHealthPercent),
        ])
    }
}

extension JSONValue {
    fileprivate var unlessEmpty: JSONValue? { self == .object([:]) ? nil : .some(self) }
    fileprivate static func count(_ count: Int?) -> JSONValue? { count.map { .integer(Int64($0)) } }
    fileprivate static func text(_ duration: Duration?) -> JSONValue? { duration.map { .string($0.text) } }
}
