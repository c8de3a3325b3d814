internal import EnvoyProtos
internal import MeshCompiler
internal import MeshModel
internal import SwiftProtobuf

extension ClusterMessage {
    /// Takes over what a destination rule says; what it does not say stays as it is.
    mutating func apply(_ policy: TrafficPolicy.Blocks, isHTTP2: Bool) {
        if let loadBalancer = policy.loadBalancer { apply(loadBalancer) }
        if let pool = policy.connectionPool { apply(pool, isHTTP2: isHTTP2) }
        if let detection = policy.outlierDetection {
            outlierDetection = Envoy_Config_Cluster_V3_OutlierDetection(detection)
            // Always present, as 0 is not the default: with few endpoints, Envoy's 50 % are soon reached.
            commonLbConfig.healthyPanicThreshold.value = Double(detection.minHealthPercent ?? 0)
        }
    }

    private mutating func apply(_ loadBalancer: LoadBalancer) {
        switch loadBalancer {
        case .simple(.leastRequest): lbPolicy = .leastRequest
        case .simple(.roundRobin): lbPolicy = .roundRobin
        case .simple(.random): lbPolicy = .random
        case .consistentHash(let hash):
            switch hash.algorithm {
            case .ringHash(let ring):
                lbPolicy = .ringHash
                ringHashLbConfig.minimumRingSize = Google_Protobuf_UInt64Value(UInt64(clamping: ring.minimumRingSize))
            case .maglev(let maglev):
                lbPolicy = .maglev
                maglevLbConfig.tableSize = Google_Protobuf_UInt64Value(UInt64(clamping: maglev.tableSize))
            }
        }
    }

    private mutating func apply(_ pool: ConnectionPool, isHTTP2: Bool) {
        if let timeout = pool.connectTimeout { connectTimeout = Google_Protobuf_Duration(timeout) }
        if let keepalive = pool.tcpKeepalive {
            upstreamConnectionOptions.tcpKeepalive = Envoy_Config_Core_V3_TcpKeepalive(keepalive)
        }
        var limits = circuitBreakers.thresholds.first ?? .init()
        limits.maxConnections = .limit(pool.maxConnections)
        limits.maxPendingRequests = .limit(pool.maxPendingRequests)
        limits.maxRequests = .limit(pool.maxRequests)
        limits.maxRetries = .limit(pool.maxRetries)
        circuitBreakers.thresholds = [limits]
        let options = Envoy_Extensions_Upstreams_Http_V3_HttpProtocolOptions(pool, isHTTP2: isHTTP2)
        if options.hasCommonHTTPProtocolOptions || pool.maxConcurrentStreams != nil {
            typedExtensionProtocolOptions = [Self.httpProtocolOptions: Google_Protobuf_Any(packing: options)]
        }
    }

    static let httpProtocolOptions = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions"
}

extension Envoy_Extensions_Upstreams_Http_V3_HttpProtocolOptions {
    fileprivate init(_ pool: ConnectionPool, isHTTP2: Bool) {
        self.init()
        if isHTTP2 {
            explicitHTTPConfig.http2ProtocolOptions = Envoy_Config_Core_V3_Http2ProtocolOptions()
            if let streams = pool.maxConcurrentStreams {
                explicitHTTPConfig.http2ProtocolOptions.maxConcurrentStreams = .limit(streams)
            }
        } else {
            explicitHTTPConfig.httpProtocolOptions = Envoy_Config_Core_V3_Http1ProtocolOptions()
        }
        if let timeout = pool.idleTimeout { commonHTTPProtocolOptions.idleTimeout = Google_Protobuf_Duration(timeout) }
        if let duration = pool.maxConnectionDuration {
            commonHTTPProtocolOptions.maxConnectionDuration = Google_Protobuf_Duration(duration)
        }
        if let requests = pool.maxRequestsPerConnection, requests > 0 {
            commonHTTPProtocolOptions.maxRequestsPerConnection = .limit(requests)
        }
    }
}

extension Envoy_Config_Core_V3_TcpKeepalive {
    fileprivate init(_ keepalive: ConnectionPool.Keepalive) {
        self.init()
        if let probes = keepalive.probes { keepaliveProbes = .limit(probes) }
        if let time = keepalive.time { keepaliveTime = .limit(Int(time.components.seconds)) }
        if let interval = keepalive.interval { keepaliveInterval = .limit(Int(interval.components.seconds)) }
    }
}

extension Envoy_Config_Cluster_V3_OutlierDetection {
    /// Outlier detection as Istio does it: only failures in a row count, never how an endpoint compares with others.
    fileprivate init(_ detection: OutlierDetection) {
        self.init()
        enforcingSuccessRate = Google_Protobuf_UInt32Value(0)
        if let errors = detection.consecutive5xxErrors {
            consecutive5Xx = .limit(max(1, errors))
            enforcingConsecutive5Xx = Google_Protobuf_UInt32Value(errors > 0 ? 100 : 0)
        }
        if let errors = detection.consecutiveGatewayErrors {
            consecutiveGatewayFailure = .limit(max(1, errors))
            enforcingConsecutiveGatewayFailure = Google_Protobuf_UInt32Value(errors > 0 ? 100 : 0)
        }
        if detection.splitExternalLocalOriginErrors {
            splitExternalLocalOriginErrors = true
            enforcingLocalOriginSuccessRate = Google_Protobuf_UInt32Value(0)
            if let failures = detection.consecutiveLocalOriginFailures {
                consecutiveLocalOriginFailure = .limit(max(1, failures))
                enforcingConsecutiveLocalOriginFailure = Google_Protobuf_UInt32Value(failures > 0 ? 100 : 0)
            }
        }
        if let interval = detection.interval { self.interval = Google_Protobuf_Duration(interval) }
        if let time = detection.baseEjectionTime { baseEjectionTime = Google_Protobuf_Duration(time) }
        // Envoy's 10 % of fewer than ten endpoints would be none.
        if detection.maxEjectionPercent != 0 { alwaysEjectOneHost = Google_Protobuf_BoolValue(true) }
        if let percent = detection.maxEjectionPercent {
            maxEjectionPercent = Google_Protobuf_UInt32Value(UInt32(clamping: percent))
        }
    }

    /// gRPC clients know no failures in a row (gRFC A50), only what part of an endpoint's calls failed in an interval. So for
    /// them it is left out when it had at least as many calls, and nearly all of them failed.
    mutating func limitForProxyless(_ detection: OutlierDetection) {
        let errors = [detection.consecutive5xxErrors ?? 5, detection.consecutiveGatewayErrors ?? 0].filter { $0 > 0 }
        guard let volume = errors.min() else { return }
        enforcingFailurePercentage = Google_Protobuf_UInt32Value(100)
        failurePercentageThreshold = Google_Protobuf_UInt32Value(85)
        failurePercentageMinimumHosts = Google_Protobuf_UInt32Value(1)
        failurePercentageRequestVolume = .limit(volume)
    }
}

extension Envoy_Config_Route_V3_RouteAction.HashPolicy {
    init(_ source: ConsistentHash.Source) {
        self.init()
        switch source {
        case .header(let name): header.headerName = name
        case .cookie(let asked):
            cookie.name = asked.name
            cookie.path = asked.path ?? ""
            if let ttl = asked.ttl { cookie.ttl = Google_Protobuf_Duration(ttl) }
        case .sourceIP: connectionProperties.sourceIp = true
        case .queryParameter(let name): queryParameter.name = name
        }
    }
}

extension Google_Protobuf_UInt32Value {
    /// - Parameter count: `nil`: as many as there can be.
    fileprivate static func limit(_ count: Int?) -> Google_Protobuf_UInt32Value {
        Google_Protobuf_UInt32Value(count.map { UInt32(clamping: $0) } ?? .max)
    }
}
