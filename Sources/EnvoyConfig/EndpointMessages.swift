internal import EnvoyProtos
internal import MeshCompiler
internal import SwiftProtobuf

extension IR.Endpoints {
    /// The endpoints as gRPC clients take them: they know weights of localities (gRFC A27), but within one they go round, whatever its
    /// endpoints weigh. So what has different weights is in different localities, which only have other names.
    var proxyless: IR.Endpoints {
        var result = self
        result.localities = localities.flatMap { $0.byWeight }
        return result
    }
}

extension IR.Locality {
    fileprivate var byWeight: [IR.Locality] {
        let groups = Dictionary(grouping: endpoints) { $0.weight }
        guard groups.count > 1 else { return [self] }
        let known = path + Array(repeating: "", count: max(0, 3 - path.count))
        return groups.sorted { $0.key < $1.key }.map { weight, endpoints in
            var group = self
            // No part of a path has a slash, so no other locality is named so.
            group.path = known.dropLast() + ["\(known[2])/\(weight)"]
            group.endpoints = endpoints
            return group
        }
    }
}

extension EndpointsMessage {
    init(_ endpoints: IR.Endpoints) { self.init(named: endpoints.cluster.text, endpoints.localities) }

    init(named cluster: String, _ localities: [IR.Locality]) {
        self.init()
        clusterName = cluster
        endpoints = localities.map { locality in
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
