internal import EnvoyProtos
internal import Foundation
internal import GRPCServer
internal import HTTP2
internal import MeshLab
internal import NIOCore
internal import NIOPosix
internal import SwiftProtobuf
internal import Synchronization

/// Many proxies that speak delta xDS like Envoy does: clusters and listeners by wildcard, endpoints and routes by name,
/// every response acknowledged.
///
/// One event loop, no decoding of bodies beyond names: what is measured is the server.
final class Fleet: Sendable {
    /// What one fleet has received so far.
    struct Progress: Sendable {
        /// Streams that have listeners, clusters, endpoints and routes.
        var synced = 0
        /// For each stream that received something since the last mark: when it last did.
        var arrivals: [Int: ContinuousClock.Instant] = [:]
        var bytes = 0
        /// Why streams ended, which none should.
        var ends: [GRPCStatus] = []
        /// The first response of each type that the first proxy received.
        var sample: [String: [UInt8]] = [:]
    }

    private let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
    private let progress = Mutex(Progress())

    /// Connects `count` proxies, each over a connection of its own.
    ///
    /// - Parameter identity: gives the bearer token and node of the n-th proxy.
    func connect(_ count: Int, to port: Int, identity: @escaping @Sendable (Int) -> ProxyIdentity) async throws {
        let address = try SocketAddress(ipAddress: "127.0.0.1", port: port)
        for index in 0..<count {
            let loop = group.next()
            let bound = try await GRPCClientConnection.connect(to: address, on: loop).get()
            try await loop.submit {
                FleetProxy(index: index, identity: identity(index), fleet: self).start(on: bound.value)
            }.get()
        }
    }

    /// Forgets who received what, before a change is made.
    func mark() { progress.withLock { $0.arrivals = [:] } }

    var current: Progress { progress.withLock { $0 } }

    func close() async { try? await group.shutdownGracefully() }

    fileprivate func received(_ index: Int, bytes: Int) {
        progress.withLock {
            $0.arrivals[index] = .now
            $0.bytes += bytes
        }
    }

    fileprivate func record(_ type: String, _ message: ByteBuffer) {
        progress.withLock { $0.sample[type] = Array(message.readableBytesView) }
    }

    fileprivate func synced() { progress.withLock { $0.synced += 1 } }
    fileprivate func closed(_ status: GRPCStatus) { progress.withLock { $0.ends.append(status) } }

    /// Waits until `condition` holds.
    ///
    /// - Throws: ``LabError`` when it does not within two minutes, or as soon as a stream ends.
    func wait(_ what: String, until condition: @escaping @Sendable (Progress) -> Bool) async throws {
        do {
            try await eventually(within: .seconds(120), what) {
                if let end = self.current.ends.first { throw LabError("a stream ended: \(end)") }
                return condition(self.current)
            }
        } catch {
            throw LabError(
                "\(error); in sync: \(current.synced), \(current.bytes) bytes, arrived: \(current.arrivals.count)")
        }
    }
}

/// Who a proxy of a fleet says it is.
struct ProxyIdentity: Sendable {
    var node: Envoy_Config_Core_V3_Node
    var token: String
}

/// One proxy; bound to its event loop.
private final class FleetProxy: GRPCClientCallHandler {
    private static let cluster = "type.googleapis.com/envoy.config.cluster.v3.Cluster"
    private static let endpoint = "type.googleapis.com/envoy.config.endpoint.v3.ClusterLoadAssignment"
    private static let listener = "type.googleapis.com/envoy.config.listener.v3.Listener"
    private static let route = "type.googleapis.com/envoy.config.route.v3.RouteConfiguration"

    private let index: Int
    private let identity: ProxyIdentity
    private let fleet: Fleet
    private var connection: GRPCClientConnection?
    private var call: GRPCClientCall?
    private var received: Set<String> = []

    init(index: Int, identity: ProxyIdentity, fleet: Fleet) {
        self.index = index
        self.identity = identity
        self.fleet = fleet
    }

    func start(on connection: GRPCClientConnection) {
        self.connection = connection
        let call = connection.open(
            "/envoy.service.discovery.v3.AggregatedDiscoveryService/DeltaAggregatedResources",
            metadata: [HTTP2Header("authorization", "Bearer \(identity.token)")], handler: self)
        self.call = call
        request(Self.cluster) { $0.node = self.identity.node }
    }

    func received(_ message: ByteBuffer) {
        var wire = Wire(message)
        var type = ""
        var nonce = ""
        var names: [String] = []
        while let (field, value) = wire.next() {
            switch field {
            case 2: if received.count < 4, let name = Self.name(of: value) { names.append(name) }
            case 4: type = String(buffer: value)
            case 5: nonce = String(buffer: value)
            default: continue
            }
        }
        fleet.received(index, bytes: message.readableBytes)
        request(type) { $0.responseNonce = nonce }
        if received.insert(type).inserted {
            if index == 0 { fleet.record(type, message) }
            subscribe(after: type, names)
        }
    }

    /// What Envoy asks for once it has the first response of a type.
    private func subscribe(after type: String, _ names: [String]) {
        switch type {
        case Self.cluster:
            request(Self.endpoint) { $0.resourceNamesSubscribe = names.filter { $0.hasPrefix("outbound|") } }
            request(Self.listener) { _ in }
        case Self.listener: request(Self.route) { $0.resourceNamesSubscribe = ["http_proxy"] }
        default: break
        }
        if received.count == 4 { fleet.synced() }
    }

    private func request(_ type: String, _ fill: (inout Envoy_Service_Discovery_V3_DeltaDiscoveryRequest) -> Void) {
        var request = Envoy_Service_Discovery_V3_DeltaDiscoveryRequest()
        request.typeURL = type
        fill(&request)
        guard let bytes: [UInt8] = try? request.serializedBytes() else { return }
        call?.send(OutboundMessage(ByteBuffer(bytes: bytes)))
    }

    /// The name of an `envoy.service.discovery.v3.Resource`.
    private static func name(of resource: ByteBuffer) -> String? {
        var wire = Wire(resource)
        while let (field, value) = wire.next() {
            if field == 3 { return String(buffer: value) }
        }
        return nil
    }

    func closed(_ status: GRPCStatus) { fleet.closed(status) }
}
