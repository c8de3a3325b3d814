internal import EnvoyProtos
package import MeshModel
internal import SwiftProtobuf

/// What an Envoy is started with: who it is, and where its configuration comes from.
package struct Bootstrap: Hashable, Sendable {
    /// How the sidecar asks for its configuration.
    package enum Variant: String, CaseIterable, Sendable {
        case delta, sotw
    }

    /// Where the xDS server is.
    package struct Server: Hashable, Sendable {
        /// A host name or an IP address.
        package var host: String
        package var port: Int
        /// The certificates to trust, in PEM; `nil`: plaintext. The text itself, because the sidecar's machine has no file of
        /// the server's.
        package var trustedCertificates: String?

        package init(host: String, port: Int, trustedCertificates: String? = nil) {
            self.host = host
            self.port = port
            self.trustedCertificates = trustedCertificates
        }
    }

    package var workload: View.Workload
    package var mesh: MeshKey
    /// The cluster that the workload runs in.
    package var cluster: Name
    /// The port of Envoy's administration interface, on 127.0.0.1.
    package var adminPort: Int
    package var server: Server
    /// What the sidecar shows to the server.
    package var token: String
    package var variant: Variant

    package init(
        workload: View.Workload, mesh: MeshKey, cluster: Name, adminPort: Int, server: Server, token: String,
        variant: Variant = .delta
    ) {
        self.workload = workload
        self.mesh = mesh
        self.cluster = cluster
        self.adminPort = adminPort
        self.server = server
        self.token = token
        self.variant = variant
    }

    /// The identity that the sidecar shows, as Istio forms it.
    package var nodeID: String {
        "sidecar~127.0.0.1~\(workload.proxy).\(workload.namespace)~\(workload.namespace).\(HostName.domain)"
    }

    /// The bootstrap as a JSON document (protobuf's JSON form, which Envoy reads).
    package var json: String { (try? message.jsonString()) ?? "{}" }

    static let serverCluster = "xds"
}

// MARK: - Envoy's form

extension Bootstrap {
    var message: Envoy_Config_Bootstrap_V3_Bootstrap {
        .with {
            $0.node = node
            $0.admin.address = Envoy_Config_Core_V3_Address("127.0.0.1", port: adminPort)
            $0.layeredRuntime.layers = [Self.limits]
            $0.staticResources.clusters = [serverMessage]
            $0.dynamicResources.adsConfig = adsMessage
            $0.dynamicResources.cdsConfig = .ads
            $0.dynamicResources.ldsConfig = .ads
        }
    }

    private var node: Envoy_Config_Core_V3_Node {
        let metadata = [
            "NAMESPACE": workload.namespace.text, "NAME": workload.proxy.text, "MESH_ID": "\(mesh)",
            "CLUSTER_ID": cluster.text, "SERVICE": workload.service?.text,
            "HTTP_PROXY_PORT": String(workload.httpProxyPort),
        ]
        return .with {
            $0.id = nodeID
            $0.cluster = "\(workload.service ?? workload.proxy).\(workload.namespace)"
            $0.metadata.fields = metadata.compactMapValues { text in
                text.map { Google_Protobuf_Value(stringValue: $0) }
            }
        }
    }

    private var adsMessage: Envoy_Config_Core_V3_ApiConfigSource {
        .with {
            $0.apiType = variant == .delta ? .deltaGrpc : .grpc
            $0.transportApiVersion = .v3
            $0.setNodeOnFirstMessageOnly = true
            var service = Envoy_Config_Core_V3_GrpcService()
            service.envoyGrpc.clusterName = Self.serverCluster
            var authorization = Envoy_Config_Core_V3_HeaderValue()
            authorization.key = "authorization"
            authorization.value = "Bearer \(token)"
            service.initialMetadata = [authorization]
            $0.grpcServices = [service]
        }
    }

    private var serverMessage: ClusterMessage {
        .with {
            $0.name = Self.serverCluster
            $0.type = IPAddress.isValid(server.host) ? .static : .strictDns
            $0.connectTimeout = Google_Protobuf_Duration(seconds: 1)
            $0.typedExtensionProtocolOptions = Self.keptAliveHTTP2
            $0.loadAssignment.clusterName = Self.serverCluster
            var member = Envoy_Config_Endpoint_V3_LbEndpoint()
            member.endpoint.address = Envoy_Config_Core_V3_Address(server.host, port: server.port)
            var locality = Envoy_Config_Endpoint_V3_LocalityLbEndpoints()
            locality.lbEndpoints = [member]
            $0.loadAssignment.endpoints = [locality]
            guard let certificates = server.trustedCertificates else { return }
            var context = Envoy_Extensions_TransportSockets_Tls_V3_UpstreamTlsContext()
            if !IPAddress.isValid(server.host) { context.sni = server.host }
            context.commonTlsContext.alpnProtocols = ["h2"]
            context.commonTlsContext.validationContext.trustedCa.inlineString = certificates
            context.commonTlsContext.validationContext.matchTypedSubjectAltNames = [subject]
            $0.transportSocket.name = "envoy.transport_sockets.tls"
            $0.transportSocket.typedConfig = Google_Protobuf_Any(packing: context)
        }
    }

    /// The server's certificate must be its own, not just any that the authority signed.
    private var subject: Envoy_Extensions_TransportSockets_Tls_V3_SubjectAltNameMatcher {
        .with {
            $0.sanType = IPAddress.isValid(server.host) ? .ipAddress : .dns
            $0.matcher.exact = server.host
        }
    }

    /// A dead connection is noticed within half a minute although nothing may be sent for hours.
    private static let keptAliveHTTP2: [String: Google_Protobuf_Any] = {
        var options = Envoy_Extensions_Upstreams_Http_V3_HttpProtocolOptions()
        options.explicitHTTPConfig.http2ProtocolOptions = .with {
            $0.connectionKeepalive.interval = Google_Protobuf_Duration(seconds: 20)
            $0.connectionKeepalive.timeout = Google_Protobuf_Duration(seconds: 10)
        }
        return ["envoy.extensions.upstreams.http.v3.HttpProtocolOptions": Google_Protobuf_Any(packing: options)]
    }()

    /// Envoy refuses regexes of more than 100 instructions unless told otherwise; Istio's limit.
    static let limits = Envoy_Config_Bootstrap_V3_RuntimeLayer.with {
        $0.name = "limits"
        $0.staticLayer.fields = ["re2.max_program_size.error_level": Google_Protobuf_Value(numberValue: 32_768)]
    }
}
