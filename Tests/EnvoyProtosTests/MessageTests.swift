import EnvoyProtos
import SwiftProtobuf
import Testing

@Suite("Messages of Envoy's API")
struct MessageTests {
    /// Encodes, decodes and encodes again. Bytes are compared, because an Any that was given a message is never equal
    /// to one that was given the same message's bytes.
    private func survives<M: Message>(_ message: M) throws {
        let bytes = try message.serializedBytes() as [UInt8]
        let decoded = try M(serializedBytes: bytes)
        #expect(decoded.unknownFields.data.isEmpty)
        #expect(try decoded.serializedBytes() as [UInt8] == bytes)
    }

    @Test("A request has the bytes that the xDS protocol asks for")
    func wireFormat() throws {
        var request = Envoy_Service_Discovery_V3_DeltaDiscoveryRequest()
        request.typeURL = "t"
        request.resourceNamesSubscribe = ["*"]
        request.responseNonce = "7"
        request.errorDetail.code = 3

        // Fields 2, 3, 6 and 7 of DeltaDiscoveryRequest; field 1 of google.rpc.Status.
        let expected: [UInt8] = [0x12, 1, 0x74, 0x1a, 1, 0x2a, 0x32, 1, 0x37, 0x3a, 2, 0x08, 3]
        #expect(try request.serializedBytes() as [UInt8] == expected)
        try survives(request)
    }

    @Test("A cluster survives a round trip")
    func cluster() throws {
        var options = Envoy_Extensions_Upstreams_Http_V3_HttpProtocolOptions()
        options.explicitHTTPConfig.http2ProtocolOptions.maxConcurrentStreams = 100

        var cluster = Envoy_Config_Cluster_V3_Cluster()
        cluster.name = "outbound|9080|v1|reviews.shop.svc.cluster.local"
        cluster.type = .eds
        cluster.edsClusterConfig.edsConfig.ads = .init()
        cluster.edsClusterConfig.edsConfig.resourceApiVersion = .v3
        cluster.connectTimeout.seconds = 5
        cluster.circuitBreakers.thresholds = [.with { $0.maxRequests = 1024 }]
        cluster.outlierDetection.consecutive5Xx = 5
        cluster.typedExtensionProtocolOptions = ["http": try Google_Protobuf_Any(message: options)]
        try survives(cluster)

        let decoded = try Envoy_Config_Cluster_V3_Cluster(serializedBytes: cluster.serializedBytes() as [UInt8])
        let any = try #require(decoded.typedExtensionProtocolOptions["http"])
        #expect(any.isA(Envoy_Extensions_Upstreams_Http_V3_HttpProtocolOptions.self))
        #expect(try Envoy_Extensions_Upstreams_Http_V3_HttpProtocolOptions(unpackingAny: any) == options)
    }

    @Test("A weighted route survives a round trip")
    func route() throws {
        let weights = [("stable", 9_000 as UInt32), ("canary", 1_000)].map { name, weight in
            Envoy_Config_Route_V3_WeightedCluster.ClusterWeight.with {
                $0.name = name
                $0.weight = .init(weight)
            }
        }
        var route = Envoy_Config_Route_V3_Route()
        route.match.prefix = "/"
        route.match.headers = [
            .with {
                $0.name = "x-user"; $0.stringMatch.exact = "ann"
            }
        ]
        route.route.weightedClusters.clusters = weights
        route.route.requestMirrorPolicies = [
            .with {
                $0.cluster = "canary"
                $0.runtimeFraction.defaultValue.numerator = 5
                $0.runtimeFraction.defaultValue.denominator = .million
            }
        ]
        try survives(route)
        #expect(route.route.weightedClusters.clusters.map(\.weight.value) == [9_000, 1_000])
    }

    @Test("An endpoint keeps its address, its weight and its health")
    func endpoint() throws {
        var endpoint = Envoy_Config_Endpoint_V3_LbEndpoint()
        endpoint.endpoint.address.socketAddress.address = "10.0.0.1"
        endpoint.endpoint.address.socketAddress.portValue = 9080
        endpoint.healthStatus = .draining
        endpoint.loadBalancingWeight = 2
        try survives(endpoint)
    }

    @Test("JSON has the names that Envoy reads, also inside Any")
    func json() throws {
        var filter = Envoy_Extensions_Filters_Network_HttpConnectionManager_V3_HttpFilter()
        filter.name = "envoy.filters.http.router"
        var router = Envoy_Extensions_Filters_Http_Router_V3_Router()
        router.suppressEnvoyHeaders = true
        filter.typedConfig = try Google_Protobuf_Any(message: router)

        let type = "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router"
        #expect(
            try filter.jsonString()
                == #"{"name":"envoy.filters.http.router","typedConfig":{"@type":"\#(type)","suppressEnvoyHeaders":true}}"#
        )
    }

    @Test("A field that was pruned is kept when the message is encoded again")
    func unknownFields() throws {
        // Field 8 of Cluster, health_checks, with an empty HealthCheck; Sluice does not use it.
        let bytes: [UInt8] = [0x0a, 1, 0x63, 0x42, 0]
        let cluster = try Envoy_Config_Cluster_V3_Cluster(serializedBytes: bytes)
        #expect(cluster.name == "c")
        #expect(try cluster.serializedBytes() as [UInt8] == bytes)
    }
}
