internal import EnvoyProtos
internal import SwiftProtobuf

// Shorter names for the messages that are written here.
typealias ClusterMessage = Envoy_Config_Cluster_V3_Cluster
typealias EndpointsMessage = Envoy_Config_Endpoint_V3_ClusterLoadAssignment
typealias ListenerMessage = Envoy_Config_Listener_V3_Listener
typealias RouteConfigurationMessage = Envoy_Config_Route_V3_RouteConfiguration
typealias VirtualHostMessage = Envoy_Config_Route_V3_VirtualHost
typealias RouteMessage = Envoy_Config_Route_V3_Route
typealias RouteActionMessage = Envoy_Config_Route_V3_RouteAction
typealias HTTPConnectionManager =
    Envoy_Extensions_Filters_Network_HttpConnectionManager_V3_HttpConnectionManager
typealias HTTPFilter = Envoy_Extensions_Filters_Network_HttpConnectionManager_V3_HttpFilter

extension Message {
    /// The message's bytes, equal for equal messages.
    ///
    /// Messages of proto3 have no required fields and these are far from protobuf's limit of 2 GiB, the only reasons for
    /// which encoding could fail.
    var encoded: [UInt8] {
        var options = BinaryEncodingOptions()
        options.useDeterministicOrdering = true
        return (try? serializedBytes(options: options)) ?? []
    }
}

extension Google_Protobuf_Any {
    /// A message with its type. See `Message.encoded` for why this cannot fail.
    init(packing message: some Message) {
        self = (try? Google_Protobuf_Any(message: message)) ?? Google_Protobuf_Any()
    }
}

extension Google_Protobuf_Duration {
    init(_ duration: Duration) {
        let (seconds, attoseconds) = duration.components
        self.init(seconds: seconds, nanos: Int32(attoseconds / 1_000_000_000))
    }
}

extension Envoy_Config_Core_V3_Address {
    init(_ address: String, port: Int) {
        self.init()
        socketAddress.address = address
        socketAddress.portValue = UInt32(clamping: port)
    }
}

extension Envoy_Config_Core_V3_ConfigSource {
    /// The stream that everything else comes on. Without a timeout: a proxy that asked waits for its answer, because
    /// going on without it would drop traffic.
    static let ads = Self.with {
        $0.ads = Envoy_Config_Core_V3_AggregatedConfigSource()
        $0.resourceApiVersion = .v3
        $0.initialFetchTimeout = Google_Protobuf_Duration(seconds: 0)
    }
}

extension Envoy_Type_V3_FractionalPercent {
    init(partsPerMillion: Int) {
        self.init()
        numerator = UInt32(clamping: partsPerMillion)
        denominator = .million
    }
}
