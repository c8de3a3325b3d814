internal import EnvoyProtos
internal import SwiftProtobuf

extension ConfigResource {
    /// The resource as people read it: protobuf's form of JSON with the field names of Envoy's documents, and `Any`s with
    /// their content.
    ///
    /// - Throws: if the bytes are not a message of the type, or hold one of an unknown type.
    package func json(_ type: ConfigType) throws -> String { try MessageJSON.text(message(type)) }

    /// The message that the bytes are of.
    private func message(_ type: ConfigType) throws -> any Message {
        switch type {
        case .cluster: try ClusterMessage(serializedBytes: bytes)
        case .endpoints: try EndpointsMessage(serializedBytes: bytes)
        case .listener: try ListenerMessage(serializedBytes: bytes)
        case .routes: try RouteConfigurationMessage(serializedBytes: bytes)
        }
    }
}

/// Messages as JSON.
enum MessageJSON {
    /// Types in `Any`s must be known to be printed: all that is ever sent.
    private static let registered: Void = {
        let types: [any Message.Type] = [
            HTTPConnectionManager.self, Envoy_Extensions_Filters_Network_TcpProxy_V3_TcpProxy.self,
            Envoy_Extensions_Filters_Http_Router_V3_Router.self, HTTPFaultMessage.self,
            Envoy_Extensions_Filters_Http_GrpcStats_V3_FilterConfig.self,
            Envoy_Extensions_Upstreams_Http_V3_HttpProtocolOptions.self,
            Envoy_Extensions_Retry_Host_PreviousHosts_V3_PreviousHostsPredicate.self,
            Envoy_Extensions_TransportSockets_Tls_V3_UpstreamTlsContext.self,
        ]
        for type in types { Google_Protobuf_Any.register(messageType: type) }
    }()

    static func text(_ message: any Message) throws -> String {
        registered
        var options = JSONEncodingOptions()
        options.preserveProtoFieldNames = true
        options.useDeterministicOrdering = true
        return try message.jsonString(options: options)
    }
}
