import Documents
import MeshLab
import Testing

/// What each field of a DestinationRule does.
enum DestinationRuleFields {
    static let rows = whole + labels + loadBalancers + pools + detections + places

    private static func rule(_ policy: [String: JSONValue]) -> JSONValue {
        ["host": "$host", "trafficPolicy": .object(policy)]
    }

    // MARK: All of it

    private static let whole = [
        FieldRow(
            "/spec/host", rule(["loadBalancer": ["simple": "ROUND_ROBIN"]]), against: "shared", asks: [Ask(times: 12)],
            .rotation)
    ]

    private static let labels = [
        FieldRow(
            "/spec/subsets/0/labels", ["host": "$host", "subsets": [["name": "other", "labels": ["version": "v3"]]]],
            against: ["version": "v2"],
            beside: (
                "virtualServices",
                ["hosts": ["$host"], "http": [["route": [["destination": ["host": "$host", "subset": "other"]]]]]]
            ), .only("v3"))
    ]

    static let fixed = [FixedField("/spec/exportTo", ["host": "a", "exportTo": ["*"]], refuses: ["."])]

    // MARK: Which endpoint

    private static let loadBalancers = [
        FieldRow(
            "/spec/trafficPolicy/loadBalancer/simple", rule(["loadBalancer": ["simple": "ROUND_ROBIN"]]),
            asks: [Ask(times: 15)], .rotation),
        FieldRow(
            "/spec/trafficPolicy/loadBalancer/simple", rule(["loadBalancer": ["simple": "RANDOM"]]),
            against: "ROUND_ROBIN", asks: [Ask(times: 15)], .noRotation),
        FieldRow(
            "/spec/trafficPolicy/loadBalancer/simple", rule(["loadBalancer": ["simple": "LEAST_REQUEST"]]),
            against: "ROUND_ROBIN", asks: [Ask(times: 15)], .noRotation),
        FieldRow(
            hash + "httpHeaderName", hashing(["httpHeaderName": "x-user"]), against: "x-else",
            asks: [Ask("/", ["x-user": "ann"], times: 15)], .oneEndpoint),
        FieldRow(
            hash + "httpQueryParameterName", hashing(["httpQueryParameterName": "user"]), against: "else",
            asks: [Ask("/?user=ann", times: 15)], .oneEndpoint),
        FieldRow(
            hash + "useSourceIp", hashing(["useSourceIp": true]), without: rule(["loadBalancer": ["simple": "RANDOM"]]),
            asks: [Ask(times: 15)], .oneEndpoint),
        FieldRow(
            hash + "httpCookie/name", hashing(["httpCookie": ["name": "user"]]), against: "else",
            asks: [Ask("/", ["cookie": "user=ann"], times: 15)], .oneEndpoint),
        FieldRow(
            hash + "httpCookie/ttl", hashing(["httpCookie": ["name": "user", "ttl": "60s"]]),
            .answered("set-cookie", has: "Max-Age=60")),
        FieldRow(
            hash + "httpCookie/path", hashing(["httpCookie": ["name": "user", "ttl": "60s", "path": "/shop"]]),
            .answered("set-cookie", has: "Path=/shop")),
        // How the ring or table is made shows in nothing but its size.
        FieldRow(
            hash + "minimumRingSize", hashing(["httpHeaderName": "x-user", "minimumRingSize": 4096]),
            .statistic("ring_hash_lb.size", 4096...9000)),
        FieldRow(
            hash + "ringHash/minimumRingSize",
            hashing(["httpHeaderName": "x-user", "ringHash": ["minimumRingSize": 4096]]),
            .statistic("ring_hash_lb.size", 4096...9000)),
        FieldRow(
            hash + "maglev/tableSize", hashing(["httpHeaderName": "x-user", "maglev": ["tableSize": 307]]),
            .statistic("maglev_lb.max_entries_per_host", 1...150)),
    ]

    private static let hash = "/spec/trafficPolicy/loadBalancer/consistentHash/"

    private static func hashing(_ hash: JSONValue) -> JSONValue { rule(["loadBalancer": ["consistentHash": hash]]) }

    // MARK: How many connections and requests

    private static let tcp = "/spec/trafficPolicy/connectionPool/tcp/"
    private static let http = "/spec/trafficPolicy/connectionPool/http/"

    private static func pool(tcp: [String: JSONValue] = [:], http: [String: JSONValue] = [:]) -> JSONValue {
        rule(["connectionPool": ["tcp": .object(tcp), "http": .object(http)]])
    }

    /// All requests to one endpoint.
    private static let toOne: (collection: String, spec: JSONValue) = (
        "virtualServices",
        ["hosts": ["$host"], "http": [["route": [["destination": ["host": "$host", "subset": "v1"]]]]]]
    )
    /// The same, with one retry of what is refused.
    private static let retrying: (collection: String, spec: JSONValue) = (
        "virtualServices",
        [
            "hosts": ["$host"],
            "http": [
                [
                    "route": [["destination": ["host": "$host", "subset": "v1"]]],
                    "retries": ["attempts": 1, "retryOn": "503"],
                ]
            ],
        ]
    )

    private static func crowd(_ count: Int, _ headers: KeyValuePairs<String, String> = ["x-lab-wait": "400"]) -> [Ask] {
        [Ask("/", headers, times: count, atOnce: true)]
    }

    private static let keepalive = pool(tcp: [
        "tcpKeepalive": ["probes": 7, "time": "90s", "interval": "20s"]
    ])
    private static let options = ["upstream_connection_options", "tcp_keepalive"]

    private static let pools = [
        FieldRow(
            tcp + "maxConnections", pool(tcp: ["maxConnections": 1]), beside: toOne, asks: crowd(4), .oneConnection),
        FieldRow(
            http + "http1MaxPendingRequests",
            pool(tcp: ["maxConnections": 1], http: ["http1MaxPendingRequests": 1]), beside: toOne, asks: crowd(6),
            .anyStatus(503)),
        FieldRow(
            http + "http2MaxRequests", pool(http: ["http2MaxRequests": 1]), beside: toOne, asks: crowd(4),
            .anyStatus(503)),
        FieldRow(
            http + "maxRetries", pool(http: ["maxRetries": 1]), beside: retrying,
            asks: crowd(6, ["x-lab-wait": "400", "x-lab-status": "503", "x-lab-until": "2"]), .anyStatus(503)),
        FieldRow(
            http + "maxRequestsPerConnection", pool(http: ["maxRequestsPerConnection": 1]), beside: toOne,
            asks: [Ask(times: 4)], .ownConnections),
        FieldRow(
            http + "idleTimeout", pool(http: ["idleTimeout": "0.2s"]), beside: toOne, asksAgain: false,
            .clusterHas("cx_active::0", version: "v1")),
        FieldRow(
            tcp + "maxConnectionDuration", pool(tcp: ["maxConnectionDuration": "0.2s"]), beside: toOne,
            asksAgain: false, .clusterHas("cx_active::0", version: "v1")),
        // It takes an address that does not answer at all, which no loopback has.
        FieldRow(
            tcp + "connectTimeout", pool(tcp: ["connectTimeout": "2.5s"]),
            .acceptedCluster(["connect_timeout"], "2.500s")),
        // They go out after as many seconds as there are here.
        FieldRow(
            tcp + "tcpKeepalive/probes", keepalive, .acceptedCluster(options + ["keepalive_probes"], 7)),
        FieldRow(tcp + "tcpKeepalive/time", keepalive, .acceptedCluster(options + ["keepalive_time"], 90)),
        FieldRow(tcp + "tcpKeepalive/interval", keepalive, .acceptedCluster(options + ["keepalive_interval"], 20)),
        // The workloads here speak no HTTP/2.
        FieldRow(
            http + "maxConcurrentStreams", pool(http: ["maxConcurrentStreams": 7]), in: .http2,
            .acceptedCluster(
                [
                    "typed_extension_protocol_options", "envoy.extensions.upstreams.http.v3.HttpProtocolOptions",
                    "explicit_http_config", "http2_protocol_options", "max_concurrent_streams",
                ], 7)),
    ]

    // MARK: Who is left out

    private static let outlier = "/spec/trafficPolicy/outlierDetection/"

    private static func detection(_ detection: JSONValue) -> JSONValue {
        rule(["loadBalancer": ["simple": "ROUND_ROBIN"], "outlierDetection": detection])
    }

    private static let active = "outlier_detection.ejections_active"
    private static let back = Expectation.both(
        .statistic("outlier_detection.ejections_enforced_total", 1...1000), .statistic(active, 0...0))

    /// Three for each endpoint.
    private static func failures(_ status: Int) -> [Ask] { [Ask("/", ["x-lab-status": "\(status)"], times: 9)] }

    private static let detections = [
        FieldRow(
            outlier + "consecutive5xxErrors", detection(["consecutive5xxErrors": 2]), asks: failures(500),
            asksAgain: false, .statistic(active, 1...1)),
        FieldRow(
            outlier + "consecutiveGatewayErrors",
            detection(["consecutiveGatewayErrors": 2, "consecutive5xxErrors": 0]), asks: failures(502),
            asksAgain: false, .statistic(active, 1...1)),
        FieldRow(
            outlier + "splitExternalLocalOriginErrors",
            detection([
                "splitExternalLocalOriginErrors": true, "consecutiveLocalOriginFailures": 2, "consecutive5xxErrors": 0,
            ]), in: .deadEndpoint, asks: [Ask(times: 9)], asksAgain: false, .statistic(active, 1...1)),
        FieldRow(
            outlier + "consecutiveLocalOriginFailures",
            detection(["splitExternalLocalOriginErrors": true, "consecutiveLocalOriginFailures": 2]),
            in: .deadEndpoint, asks: [Ask(times: 9)], asksAgain: false, .statistic(active, 1...1)),
        FieldRow(
            outlier + "interval",
            detection(["consecutive5xxErrors": 1, "interval": "0.1s", "baseEjectionTime": "0.1s"]),
            // Longer than the defaults, which a busy machine may take to get here.
            against: "300s", asks: failures(500), asksAgain: false, back),
        FieldRow(
            outlier + "baseEjectionTime",
            detection(["consecutive5xxErrors": 1, "interval": "0.1s", "baseEjectionTime": "0.1s"]),
            // Longer than the defaults, which a busy machine may take to get here.
            against: "300s", asks: failures(500), asksAgain: false, back),
        FieldRow(
            outlier + "maxEjectionPercent", detection(["consecutive5xxErrors": 1, "maxEjectionPercent": 100]),
            asks: failures(500), asksAgain: false, .statistic(active, 3...3)),
        FieldRow(
            outlier + "maxEjectionPercent", detection(["consecutive5xxErrors": 1, "maxEjectionPercent": 0]),
            asks: failures(500), asksAgain: false, .statistic(active, 0...0)),
        // What is below it depends on which endpoints have failed so far, which requests in a row do not decide.
        FieldRow(
            outlier + "minHealthPercent",
            detection(["consecutive5xxErrors": 1, "maxEjectionPercent": 100, "minHealthPercent": 60]),
            .acceptedCluster(["common_lb_config", "healthy_panic_threshold", "value"], 60)),
    ]

    // MARK: Places

    /// What can be said for the whole rule, for a port, for a version, and for a port of a version.
    private static let blocks: [String: JSONValue] = [
        "loadBalancer": ["simple": "RANDOM"], "connectionPool": ["tcp": ["connectTimeout": "2.5s"]],
        "outlierDetection": ["consecutive5xxErrors": 7],
    ]

    private static let places = [
        ("/spec/trafficPolicy/portLevelSettings/0", ""), ("/spec/subsets/0/trafficPolicy", "v2"),
        ("/spec/subsets/0/trafficPolicy/portLevelSettings/0", "v2"),
    ].flatMap { place, version in
        let isPort = place.hasSuffix("0")
        var block = blocks
        if isPort { block["port"] = ["number": 9080] }
        let policy: JSONValue = isPort ? ["portLevelSettings": [.object(block)]] : .object(block)
        let spec: JSONValue =
            version.isEmpty
            ? ["host": "$host", "trafficPolicy": policy]
            : ["host": "$host", "subsets": [["name": .string(version), "trafficPolicy": policy]]]
        func row(_ field: String, against: JSONValue? = nil, _ path: [String], _ value: JSONValue) -> FieldRow {
            FieldRow(
                field, spec, against: against, in: .twoPorts, .acceptedCluster(path, value, version: version))
        }
        var rows = [
            row("\(place)/loadBalancer", ["lb_policy"], "RANDOM"),
            row("\(place)/connectionPool", ["connect_timeout"], "2.500s"),
            row("\(place)/outlierDetection", ["outlier_detection", "consecutive_5xx"], 7),
        ]
        if isPort { rows.append(row("\(place)/port/number", against: 9081, ["lb_policy"], "RANDOM")) }
        if place == "/spec/subsets/0/trafficPolicy" {
            rows.append(row("/spec/subsets/0/name", against: "v3", ["lb_policy"], "RANDOM"))
        }
        return rows
    }

    // MARK: What there is

    /// The fields that want a row of their own: what blocks say is the same code at each place, so the blocks count there.
    static func counted(_ fields: Set<String>) -> Set<String> {
        let places = [
            "/spec/trafficPolicy/portLevelSettings/*", "/spec/subsets/*/trafficPolicy/portLevelSettings/*",
            "/spec/subsets/*/trafficPolicy",
        ]
        return Set(
            fields.map { field in
                for place in places {
                    for block in blocks.keys where field.hasPrefix("\(place)/\(block)/") { return "\(place)/\(block)" }
                }
                return field
            })
    }
}
