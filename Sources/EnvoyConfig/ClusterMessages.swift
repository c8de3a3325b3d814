internal import EnvoyProtos
internal import MeshCompiler
internal import MeshModel
internal import SwiftProtobuf

extension ClusterMessage {
    /// A cluster whose endpoints come over EDS, or are names that the sidecar resolves.
    init(_ cluster: IR.Cluster) {
        self.init()
        name = cluster.name.text
        if let names = cluster.names {
            resolve(names)
        } else {
            type = .eds
            edsClusterConfig.edsConfig = .ads
            edsClusterConfig.serviceName = cluster.name.text
        }
        lbPolicy = .leastRequest
        connectTimeout = Self.standardConnectTimeout
        circuitBreakers = Self.unlimited
        commonLbConfig = Self.withoutPanic
        if cluster.isHTTP2 { typedExtensionProtocolOptions = Self.http2 }
        apply(cluster.policy, isHTTP2: cluster.isHTTP2)
    }

    private mutating func resolve(_ names: IR.Names) {
        type = names.isFirstOnly ? .logicalDns : .strictDns
        dnsLookupFamily = .v4Preferred
        // As long as an answer may be kept, and Istio's interval for answers that do not say.
        respectDnsTtl = true
        dnsRefreshRate = Google_Protobuf_Duration(seconds: 60)
        loadAssignment = EndpointsMessage(named: name, names.localities)
    }

    /// The workload behind a sidecar, on its loopback interface.
    init(_ inbound: IR.Inbound) {
        self.init()
        name = inbound.clusterName
        type = .static
        connectTimeout = Self.standardConnectTimeout
        circuitBreakers = Self.unlimited
        if inbound.port.appProtocol.isHTTP2 { typedExtensionProtocolOptions = Self.http2 }
        loadAssignment.clusterName = name
        var member = Envoy_Config_Endpoint_V3_LbEndpoint()
        member.endpoint.address = Envoy_Config_Core_V3_Address("127.0.0.1", port: inbound.workloadPort)
        var locality = Envoy_Config_Endpoint_V3_LocalityLbEndpoints()
        locality.lbEndpoints = [member]
        loadAssignment.endpoints = [locality]
    }

    /// Istio's default.
    private static let standardConnectTimeout = Google_Protobuf_Duration(seconds: 10)

    /// No limits of ours: Envoy's defaults, three parallel retries above all, turn a rollout of pods into 503s.
    private static let unlimited = Envoy_Config_Cluster_V3_CircuitBreakers.with {
        var limits = Envoy_Config_Cluster_V3_CircuitBreakers.Thresholds()
        limits.maxConnections = Google_Protobuf_UInt32Value(.max)
        limits.maxPendingRequests = Google_Protobuf_UInt32Value(.max)
        limits.maxRequests = Google_Protobuf_UInt32Value(.max)
        limits.maxRetries = Google_Protobuf_UInt32Value(.max)
        $0.thresholds = [limits]
    }

    /// When most endpoints drain, Envoy would take to sending requests to all of them; they go to those that are left.
    private static let withoutPanic = CommonLbConfig.with { $0.healthyPanicThreshold = Envoy_Type_V3_Percent() }

    static let http2: [String: Google_Protobuf_Any] = {
        var options = Envoy_Extensions_Upstreams_Http_V3_HttpProtocolOptions()
        options.explicitHTTPConfig.http2ProtocolOptions = Envoy_Config_Core_V3_Http2ProtocolOptions()
        return [httpProtocolOptions: Google_Protobuf_Any(packing: options)]
    }()
}

extension IR.Inbound {
    /// The cluster's name says where the sidecar listens, and nothing that may come, go or change behind that: connections to a
    /// sidecar live longer than the services that they were opened for, and when the workload has another port they are to
    /// reach it there.
    var clusterName: String { "inbound|\(listenPort)||\(address)" }
    var listenerName: String { "\(address)_\(listenPort)" }
}
