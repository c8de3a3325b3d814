internal import EnvoyProtos
internal import MeshCompiler
internal import SwiftProtobuf

extension EndpointsMessage {
    init(_ endpoints: IR.Endpoints) {
        self.init()
        clusterName = endpoints.cluster.text
        self.endpoints = endpoints.localities.map { locality in
            var message = Envoy_Config_Endpoint_V3_LocalityLbEndpoints()
            // Also when it is empty: gRPC refuses endpoints without one (gRFC A27).
            message.locality = Envoy_Config_Core_V3_Locality(locality.path)
            // gRPC leaves localities without weight out.
            message.loadBalancingWeight = Google_Protobuf_UInt32Value(UInt32(clamping: locality.weight))
            message.lbEndpoints = locality.endpoints.map { Envoy_Config_Endpoint_V3_LbEndpoint($0) }
            return message
        }
    }
}

extension Envoy_Config_Core_V3_Locality {
    /// - Parameter path: region, zone and subzone, as far as they are known.
    init(_ path: [String]) {
        self.init()
        if path.count > 0 { region = path[0] }
        if path.count > 1 { zone = path[1] }
        if path.count > 2 { subZone = path[2] }
    }
}

extension Envoy_Config_Endpoint_V3_LbEndpoint {
    init(_ endpoint: IR.Endpoint) {
        self.init()
        self.endpoint.address = Envoy_Config_Core_V3_Address(endpoint.address, port: endpoint.port)
        healthStatus = endpoint.isDraining ? .draining : .healthy
        loadBalancingWeight = Google_Protobuf_UInt32Value(UInt32(clamping: endpoint.weight))
    }
}
