import EnvoyConfig
import EnvoyProtos
import Foundation
import SwiftProtobuf

extension EncodedResource {
    /// The message that the bytes are of.
    func message(_ type: ResourceType) throws -> any Message {
        switch type {
        case .cluster: try Envoy_Config_Cluster_V3_Cluster(serializedBytes: bytes)
        case .endpoints: try Envoy_Config_Endpoint_V3_ClusterLoadAssignment(serializedBytes: bytes)
        case .listener: try Envoy_Config_Listener_V3_Listener(serializedBytes: bytes)
        case .routes: try Envoy_Config_Route_V3_RouteConfiguration(serializedBytes: bytes)
        }
    }
}

/// JSON as objects that can be changed and printed: protobuf's form of messages, with the field names of Envoy's
/// documents, so that Envoy's `Any`s are readable.
enum MessageJSON {
    /// Types in `Any`s must be known to be printed.
    static let registered: Void = {
        let types: [any Message.Type] = [
            Envoy_Extensions_Filters_Network_HttpConnectionManager_V3_HttpConnectionManager.self,
            Envoy_Extensions_Filters_Network_TcpProxy_V3_TcpProxy.self,
            Envoy_Extensions_Filters_Http_Router_V3_Router.self, Envoy_Extensions_Filters_Http_Fault_V3_HTTPFault.self,
            Envoy_Extensions_Upstreams_Http_V3_HttpProtocolOptions.self,
            Envoy_Extensions_Retry_Host_PreviousHosts_V3_PreviousHostsPredicate.self,
            Envoy_Extensions_TransportSockets_Tls_V3_UpstreamTlsContext.self,
        ]
        for type in types { Google_Protobuf_Any.register(messageType: type) }
    }()

    static func object(_ message: any Message) throws -> Any {
        registered
        var options = JSONEncodingOptions()
        options.preserveProtoFieldNames = true
        options.useDeterministicOrdering = true
        return try JSONSerialization.jsonObject(with: Data(message.jsonUTF8Bytes(options: options) as [UInt8]))
    }

    static func data(_ object: Any) throws -> Data {
        try JSONSerialization.data(
            withJSONObject: object, options: [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes])
            + Data("\n".utf8)
    }
}
