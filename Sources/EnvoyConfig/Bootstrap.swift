internal import EnvoyProtos
package import MeshCore
internal import MeshModel
internal import SwiftProtobuf

/// The configuration that an Envoy is started with: who it is, and where its configuration comes from.
package struct Bootstrap: Sendable {
    /// How the sidecar asks for its configuration.
    package enum Variant: String, CaseIterable, Sendable {
        case delta, sotw
    }

    /// The address of the xDS server.
    package struct Server: Sendable {
        /// A host name or an IP address.
        package var host: String
        package var port: Int
        /// The certificates to trust, in PEM; `nil`: plaintext. The text itself, because the sidecar's machine has no file of
        /// the server's.
        package var trustedCertificates: String?
        /// The place on the sidecar's machine of the certificate and key that it shows to the server; `nil`: the server asks for
        /// none. Ignored for plaintext.
        package var clientCertificate: (chainFile: String, keyFile: String)?

        package init(
            host: String, port: Int, trustedCertificates: String? = nil,
            clientCertificate: (chainFile: String, keyFile: String)? = nil
        ) {
            self.host = host
            self.port = port
            self.trustedCertificates = trustedCertificates
            self.clientCertificate = clientCertificate
        }
    }

    package var workload: LayerID.Workload
    package var mesh: MeshKey
    /// The cluster that the workload runs in.
    package var cluster: Name
    /// The port of Envoy's administration interface, on 127.0.0.1.
    package var adminPort: Int
    package var server: Server
    /// The token that the sidecar shows to the server, in the metadata of its calls.
    package var token: String
    package var variant: Variant

    package init(
        workload: LayerID.Workload, mesh: MeshKey, cluster: Name, adminPort: Int, server: Server, token: String,
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

    static let serverName = "xds"
}

// MARK: - Envoy's form

extension Bootstrap {
    var message: Envoy_Config_Bootstrap_V3_Bootstrap {
        .with {
            $0.node = node
            $0.admin.address = Envoy_Config_Core_V3_Address("127.0.0.1", port: adminPort)
            $0.layeredRuntime.layers = [Self.limits]
            $0.dynamicResources.adsConfig = source(variant == .delta ? .deltaGrpc : .grpc)
            $0.dynamicResources.cdsConfig = .ads
            $0.dynamicResources.ldsConfig = .ads
            $0.statsConfig = StatsSink.config
            $0.statsFlushInterval = Google_Protobuf_Duration(rounding: StatsSink.interval)
            $0.statsSinks = [StatsSink.message(to: service)]
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
            // Envoy does, but does not say so itself (xDS protocol, "TTL").
            $0.clientFeatures = ["xds.config.supports-resource-ttl", "xds.config.supports-resource-in-sotw"]
            $0.metadata.fields = metadata.compactMapValues { text in
                text.map { Google_Protobuf_Value(stringValue: $0) }
            }
        }
    }

    /// A stream to the server.
    private func source(
        _ type: Envoy_Config_Core_V3_ApiConfigSource.ApiType
    ) -> Envoy_Config_Core_V3_ApiConfigSource {
        .with {
            $0.apiType = type
            $0.transportApiVersion = .v3
            $0.setNodeOnFirstMessageOnly = true
            $0.grpcServices = [service]
        }
    }

    /// Calls to the server, with the token.
    private var service: Envoy_Config_Core_V3_GrpcService {
        .with {
            $0.googleGrpc = channel
            var authorization = Envoy_Config_Core_V3_HeaderValue()
            authorization.key = "authorization"
            authorization.value = "Bearer \(token)"
            $0.initialMetadata = [authorization]
        }
    }

    /// The connection to the server, over gRPC's own client.
    ///
    /// Envoy has another one, which needs a cluster and has more statistics, but understands no compressed messages. Of a
    /// mesh of a thousand services it would be sent twenty times as many bytes.
    private var channel: Envoy_Config_Core_V3_GrpcService.GoogleGrpc {
        .with {
            $0.targetUri = server.target
            $0.statPrefix = Self.serverName
            $0.channelArgs.args = Self.channelArguments.mapValues { number in .with { $0.intValue = number } }
            $0.channelArgs.args["grpc.service_config"] = .with { $0.stringValue = Self.serviceConfiguration }
            guard let certificates = server.trustedCertificates else { return }
            // The name or address in the target is compared with the certificate's subject alternative names.
            $0.channelCredentials.sslCredentials.rootCerts.inlineString = certificates
            guard let own = server.clientCertificate else { return }
            $0.channelCredentials.sslCredentials.certChain.filename = own.chainFile
            $0.channelCredentials.sslCredentials.privateKey.filename = own.keyFile
        }
    }

    /// Names from `grpc/impl/channel_arg_names.h` of gRPC.
    private static let channelArguments: [String: Int64] = [
        // The whole mesh may be one message; gRPC's default is 4 MiB.
        "grpc.max_receive_message_length": -1,
        // Back soon after a server's restart; gRPC's defaults are 1 and 120 s, with jitter.
        "grpc.initial_reconnect_backoff_ms": 100, "grpc.min_reconnect_backoff_ms": 1_000,
        "grpc.max_reconnect_backoff_ms": 5_000,
        // A dead connection is noticed within half a minute although nothing may be sent for hours.
        "grpc.keepalive_time_ms": 20_000, "grpc.keepalive_timeout_ms": 10_000,
        // The proxy of the environment is for workloads.
        "grpc.enable_http_proxy": 0,
    ]

    /// Has streams wait for the connection (gRPC service config, `waitForReady`).
    ///
    /// Without it a stream that is begun while there is no connection fails at once, and Envoy's own pause before the next one
    /// doubles with each, up to 30 s, whatever gRPC's are; Envoy has no setting for that with gRPC's client. So it begins one
    /// stream, and how soon that gets through is decided by the pauses between connections alone.
    private static let serviceConfiguration = #"{"methodConfig":[{"name":[{}],"waitForReady":true}]}"#

    /// Envoy refuses regexes of more than 100 instructions unless told otherwise; Istio's limit.
    static let limits = Envoy_Config_Bootstrap_V3_RuntimeLayer.with {
        $0.name = "limits"
        $0.staticLayer.fields = ["re2.max_program_size.error_level": Google_Protobuf_Value(numberValue: 32_768)]
    }
}

extension Bootstrap.Server {
    /// In gRPC's form of names (gRPC name resolution).
    fileprivate var target: String {
        guard IPAddress.isValid(host) else { return "dns:///\(host):\(port)" }
        return host.contains(":") ? "ipv6:[\(host)]:\(port)" : "ipv4:\(host):\(port)"
    }
}
