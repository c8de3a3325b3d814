package import Documents
package import EnvoyConfig
internal import Foundation
package import MeshControl
internal import MeshCore
internal import MeshIdentity

extension ProxyBootstrap {
    /// The document that the proxy is started with.
    package func document(_ server: Bootstrap.Server) throws -> JSONValue {
        let workload = LayerID.Workload(
            namespace: namespace, service: service, proxy: proxy, httpProxyPort: httpProxyPort)
        let bootstrap = Bootstrap(
            workload: workload, mesh: mesh, cluster: cluster, adminPort: adminPort, server: server,
            token: token?.reveal() ?? "", variant: variant == .stateOfTheWorld ? .sotw : .delta)
        switch client {
        case .grpc: return bootstrap.grpcDocument
        case .envoy:
            return try JSONValue(json: Data(bootstrap.json.utf8))
        }
    }
}

extension Bootstrap {
    /// The bootstrap of gRPC's own xDS client (gRFC A27). Over plaintext gRPC sends no call credentials, so the token
    /// stands in the node's metadata.
    fileprivate var grpcDocument: JSONValue {
        // With TLS, gRPC trusts the system's authorities; of another it reads a file, of which we do not know the place.
        let credentials: JSONValue = ["type": server.trustedCertificates == nil ? "insecure" : "tls"]
        return [
            "xds_servers": [
                [
                    "server_uri": .string("\(server.host):\(server.port)"), "channel_creds": [credentials],
                    "server_features": ["xds_v3"],
                ]
            ],
            "node": [
                "id": .string(nodeID.replacing("sidecar~", with: "proxyless~")),
                "cluster": .string("\(workload.proxy).\(workload.namespace)"),
                "metadata": [
                    "NAMESPACE": .string(workload.namespace.text), "NAME": .string(workload.proxy.text),
                    "MESH_ID": .string("\(mesh)"), "CLUSTER_ID": .string(cluster.text), "GENERATOR": "grpc",
                    "SLUICE_TOKEN": .string(token),
                ],
            ],
        ]
    }
}
