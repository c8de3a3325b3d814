internal import EnvoyProtos
internal import MeshCompiler
internal import MeshModel
internal import SwiftProtobuf

enum FilterNames {
    static let fault = "envoy.filters.http.fault"
    static let grpcStats = "envoy.filters.http.grpc_stats"
    static let router = "envoy.filters.http.router"
    static let connectionManager = "envoy.filters.network.http_connection_manager"
    static let tcpProxy = "envoy.filters.network.tcp_proxy"
}

extension ListenerMessage {
    /// The listener on which a sidecar takes its workload's requests to other services.
    init(outboundProxyOn port: Int) {
        self.init()
        name = "127.0.0.1_\(port)"
        address = Envoy_Config_Core_V3_Address("127.0.0.1", port: port)
        trafficDirection = .outbound
        var manager = HTTPConnectionManager(statPrefix: "outbound_http_proxy", filters: [.grpcStats, .fault, .router])
        manager.rds.routeConfigName = OutboundRoutes.name
        manager.rds.configSource = .ads
        // `reviews.shop.svc.cluster.local.`, as callers write it to have no search domains tried, is the same host.
        manager.stripTrailingHostDot = true
        filterChains = [.init(manager)]
    }

    /// A listener on which a sidecar takes requests to its workload. It says nothing of services, of which several may be behind it,
    /// nor of the workload's port: Envoy drains the connections of a listener that changes.
    init(_ inbound: IR.Inbound) {
        self.init()
        name = inbound.listenerName
        address = Envoy_Config_Core_V3_Address(inbound.address, port: inbound.listenPort)
        trafficDirection = .inbound
        let statistics = "inbound_\(inbound.listenPort)"
        guard inbound.port.appProtocol.isHTTP else {
            var proxy = Envoy_Extensions_Filters_Network_TcpProxy_V3_TcpProxy()
            proxy.statPrefix = statistics
            proxy.cluster = inbound.clusterName
            filterChains = [.init(FilterNames.tcpProxy, Google_Protobuf_Any(packing: proxy))]
            return
        }
        var manager = HTTPConnectionManager(statPrefix: statistics, filters: [.router])
        manager.routeConfig = RouteConfigurationMessage(inbound)
        filterChains = [.init(manager)]
    }

    /// The listener that a gRPC client asks for by the name of its target.
    init(proxyless name: String, routes: String) {
        self.init()
        self.name = name
        var manager = HTTPConnectionManager()
        manager.rds.routeConfigName = routes
        manager.rds.configSource = .ads
        manager.httpFilters = [.fault, .router]
        apiListener.apiListener = Google_Protobuf_Any(packing: manager)
    }
}

extension RouteConfigurationMessage {
    /// Everything to the workload, whatever its name.
    fileprivate init(_ inbound: IR.Inbound) {
        self.init()
        name = inbound.clusterName
        validateClusters = Google_Protobuf_BoolValue(false)
        var route = RouteMessage()
        route.name = "default"
        route.match.prefix = "/"
        route.route.cluster = inbound.clusterName
        route.route.timeout = Google_Protobuf_Duration(seconds: 0)
        if inbound.port.appProtocol != .grpc {
            // A connection that the workload closed while it was idle: the request did not reach it.
            route.route.retryPolicy.retryOn = "reset-before-request"
            route.route.retryPolicy.numRetries = Google_Protobuf_UInt32Value(2)
        }
        var host = VirtualHostMessage()
        host.name = "inbound|http|\(inbound.listenPort)"
        host.domains = ["*"]
        host.routes = [route]
        virtualHosts = [host]
    }
}

extension Envoy_Config_Listener_V3_FilterChain {
    fileprivate init(_ manager: HTTPConnectionManager) {
        self.init(FilterNames.connectionManager, Google_Protobuf_Any(packing: manager))
    }

    fileprivate init(_ name: String, _ configuration: Google_Protobuf_Any) {
        self.init()
        var filter = Envoy_Config_Listener_V3_Filter()
        filter.name = name
        filter.typedConfig = configuration
        filters = [filter]
    }
}

extension HTTPConnectionManager {
    /// Constants as in Istio's sidecars.
    fileprivate init(statPrefix: String, filters: [HTTPFilter]) {
        self.init()
        codecType = .auto
        self.statPrefix = statPrefix
        // Streams may be idle as long as their ends like.
        streamIdleTimeout = Google_Protobuf_Duration(seconds: 0)
        useRemoteAddress = Google_Protobuf_BoolValue(false)
        normalizePath = Google_Protobuf_BoolValue(true)
        serverHeaderTransformation = .passThrough
        var websocket = UpgradeConfig()
        websocket.upgradeType = "websocket"
        upgradeConfigs = [websocket]
        httpFilters = filters
    }
}

extension HTTPFilter {
    /// Does nothing but for routes that say so.
    static let fault = HTTPFilter.with {
        $0.name = FilterNames.fault
        $0.typedConfig = Google_Protobuf_Any(packing: HTTPFaultMessage())
    }
    /// Counts calls of gRPC by their status, whose HTTP status is always 200.
    static let grpcStats = HTTPFilter.with {
        $0.name = FilterNames.grpcStats
        var filter = Envoy_Extensions_Filters_Http_GrpcStats_V3_FilterConfig()
        filter.statsForAllMethods = Google_Protobuf_BoolValue(false)
        $0.typedConfig = Google_Protobuf_Any(packing: filter)
    }
    static let router = HTTPFilter.with {
        $0.name = FilterNames.router
        $0.typedConfig = Google_Protobuf_Any(packing: Envoy_Extensions_Filters_Http_Router_V3_Router())
    }
}
