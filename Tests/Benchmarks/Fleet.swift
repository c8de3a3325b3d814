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
        var sample: [String: Sample] = [:]
        /// The resources of a type and version.
        fileprivate var names: [String: [String]] = [:]
    }

    /// A response as it came.
    struct Sample: Sendable {
        var isCompressed: Bool
        var bytes: [UInt8]
    }

    private let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
    private let progress = Mutex(Progress())
    /// What its proxies say they understand.
    fileprivate let encodings: String

    /// - Parameter acceptsGzip: as gRPC's client does, or else as Envoy's own does not.
    init(acceptsGzip: Bool) { encodings = acceptsGzip ? "identity, deflate, gzip" : "identity" }

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

    fileprivate func record(_ type: String, _ sample: Sample) { progress.withLock { $0.sample[type] = sample } }

    fileprivate func names(_ key: String) -> [String]? { progress.withLock { $0.names[key] } }
    fileprivate func note(_ names: [String], _ key: String) { progress.withLock { $0.names[key] = names } }
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
            metadata: [
                HTTP2Header("authorization", "Bearer \(identity.token)"),
                HTTP2Header("grpc-accept-encoding", fleet.encodings),
            ], handler: self)
        self.call = call
        request(Self.cluster) { $0.node = self.identity.node }
    }

    func received(_ message: ByteBuffer) { received(Response(message), message, isCompressed: false) }

    /// A thousand proxies of a fleet share the machine with the server, so they do not all decompress the same: the first
    /// does, and of later ones only the beginning is read, which says what it is.
    func received(compressed message: ByteBuffer) throws(GRPCStatus) {
        let beginning = Response(try GRPCClientCall.decompressed(message, prefix: 512))
        guard received.count < 4, !received.contains(beginning.type) else {
            return received(beginning, message, isCompressed: true)
        }
        let key = beginning.type + beginning.version
        var response = beginning
        if let names = fleet.names(key) {
            response.names = names
        } else {
            response.names = Response(try GRPCClientCall.decompressed(message)).names
            fleet.note(response.names, key)
        }
        received(response, message, isCompressed: true)
    }

    private func received(_ response: Response, _ message: ByteBuffer, isCompressed: Bool) {
        fleet.received(index, bytes: message.readableBytes)
        request(response.type) { $0.responseNonce = response.nonce }
        if received.insert(response.type).inserted {
            if index == 0 {
                fleet.record(
                    response.type, Fleet.Sample(isCompressed: isCompressed, bytes: Array(message.readableBytesView)))
            }
            subscribe(after: response.type, response.names)
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

    func closed(_ status: GRPCStatus) { fleet.closed(status) }
}

/// What a proxy needs to know of a `DeltaDiscoveryResponse`.
private struct Response {
    var version = ""
    var type = ""
    var nonce = ""
    /// Of the resources.
    var names: [String] = []

    /// - Parameter message: may be cut off; the server writes what is not a resource first.
    init(_ message: ByteBuffer) {
        var wire = Wire(message)
        while let (field, value) = wire.next() {
            switch field {
            case 1: version = String(buffer: value)
            case 2: if let name = Self.name(of: value) { names.append(name) }
            case 4: type = String(buffer: value)
            case 5: nonce = String(buffer: value)
            default: continue
            }
        }
    }

    /// The name of an `envoy.service.discovery.v3.Resource`.
    private static func name(of resource: ByteBuffer) -> String? {
        var wire = Wire(resource)
        while let (field, value) = wire.next() {
            if field == 3 { return String(buffer: value) }
        }
        return nil
    }
}
