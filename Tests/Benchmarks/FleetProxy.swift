internal import CEpoll
internal import EnvoyProtos
internal import GRPCServer
internal import Glibc
internal import HTTP2
internal import NIOCore
internal import SwiftProtobuf

/// Who a proxy of a fleet says it is.
struct ProxyIdentity: Sendable {
    var node: Envoy_Config_Core_V3_Node
    var token: String
}

/// One proxy, which asks for clusters and listeners by wildcard, for endpoints and routes by name, and acknowledges every
/// response; in state of the world it repeats the names each time. Bound to its fleet's thread.
final class FleetProxy: LoadConnectionUser {
    private static let cluster = "type.googleapis.com/envoy.config.cluster.v3.Cluster"
    private static let endpoint = "type.googleapis.com/envoy.config.endpoint.v3.ClusterLoadAssignment"
    private static let listener = "type.googleapis.com/envoy.config.listener.v3.Listener"
    private static let route = "type.googleapis.com/envoy.config.route.v3.RouteConfiguration"
    private static let typeCount = 4

    private let index: Int
    private let identity: ProxyIdentity
    private let fleet: Fleet
    private let gunzip: Gunzip
    private var connection: LoadConnection?
    private var isConnected = false
    /// Of the message that is coming.
    private var response: Response?
    private var isCompressed = false
    /// Types that were answered on this connection.
    private var received: Set<String> = []
    /// What was asked for by name, serialised.
    private var names: [String: ByteBuffer] = [:]
    /// Under which key the fleet keeps what this proxy has, and the version of it all.
    private var held: [String: (key: String, version: String)] = [:]

    init(index: Int, identity: ProxyIdentity, fleet: Fleet, gunzip: Gunzip) {
        self.index = index
        self.identity = identity
        self.fleet = fleet
        self.gunzip = gunzip
    }

    // MARK: The connection

    func connect(on thread: FleetThread) {
        guard let descriptor = thread.open(for: index) else {
            return fleet.closed(GRPCStatus(.unavailable, "cannot connect: errno \(errno)"))
        }
        connection = LoadConnection(descriptor: descriptor, user: self)
        isConnected = false
    }

    /// - Parameter events: what `epoll(7)` says of the socket.
    func handle(_ events: UInt32, on thread: FleetThread) {
        guard let connection else { return }
        if !isConnected {
            isConnected = true
            start(on: connection)
            thread.connected()
        }
        if events & ~EPOLLOUT.rawValue != 0 { thread.receive(on: connection) }
    }

    /// Writes what there is to say.
    func answer(on thread: FleetThread) {
        if let connection { thread.flush(connection) }
    }

    private func start(on connection: LoadConnection) {
        let method = fleet.dialect.isDelta ? "DeltaAggregatedResources" : "StreamAggregatedResources"
        let encodings = fleet.dialect.acceptsGzip ? "identity, deflate, gzip" : "identity"
        connection.open(
            "/envoy.service.discovery.v3.AggregatedDiscoveryService/\(method)",
            metadata: [
                HTTP2Header("authorization", "Bearer \(identity.token)"),
                HTTP2Header("grpc-accept-encoding", encodings),
            ])
        received = []
        request(Self.cluster, nonce: "")
    }

    func disconnect() { connection = nil }

    func closed(_ status: GRPCStatus) { fleet.closed(status) }

    // MARK: Responses

    /// A thousand proxies of a fleet share the machine with the server, so they do not all read the same: the first reads
    /// everything, and the others only the beginning, which says what it is.
    func began(_ beginning: ByteBuffer, isCompressed: Bool) -> Bool {
        self.isCompressed = isCompressed
        var plain = beginning
        if isCompressed { plain = (try? gunzip.bytes(of: beginning, limit: 512, isPrefixEnough: true)) ?? ByteBuffer() }
        let response = Response(plain)
        self.response = response
        if index == 0 { return true }
        return !received.contains(response.type) && fleet.claims(response.key) == nil
    }

    func ended(_ message: ByteBuffer, size: Int) {
        guard let response else { return }
        let isFirst = !received.contains(response.type)
        if message.readableBytes == size {
            if isFirst && fleet.claims(response.key) == nil { note(message, response) }
            if index == 0 {
                let sample = Fleet.Sample(isCompressed: isCompressed, bytes: Array(message.readableBytesView))
                fleet.record(sample, of: response.type, isFirst: isFirst)
            }
        }
        received(response, size: size)
    }

    /// Works out what those say and ask for that have received `response`.
    private func note(_ message: ByteBuffer, _ response: Response) {
        let plain = isCompressed ? try? gunzip.bytes(of: message, limit: 1 << 30) : message
        let contents = Response.contents(of: plain ?? ByteBuffer(), isDelta: fleet.dialect.isDelta)
        let has = Envoy_Service_Discovery_V3_DeltaDiscoveryRequest.with {
            $0.initialResourceVersions = contents
        }
        // The names of either kind of request have the same number.
        let endpoints = Envoy_Service_Discovery_V3_DiscoveryRequest.with {
            guard response.type == Self.cluster else { return }
            $0.resourceNames = contents.keys.filter { $0.hasPrefix("outbound|") }.sorted()
        }
        fleet.note(Fleet.Claims(versions: Self.bytes(has), endpoints: Self.bytes(endpoints)), response.key)
    }

    private static func bytes(_ message: some Message) -> ByteBuffer {
        ByteBuffer(bytes: (try? message.serializedBytes() as [UInt8]) ?? [])
    }

    private func received(_ response: Response, size: Int) {
        fleet.received(index, bytes: size)
        let isFirst = received.insert(response.type).inserted
        // Later ones say what changed. What the fleet has of the first is what is claimed after a reconnection.
        if isFirst && held[response.type] == nil { held[response.type] = (response.key, response.version) }
        held[response.type]?.version = response.version
        request(response.type, nonce: response.nonce)
        if isFirst { subscribe(after: response.type) }
    }

    /// What Envoy asks for once it has the first response of a type.
    private func subscribe(after type: String) {
        switch type {
        case Self.cluster:
            names[Self.endpoint] = held[type].flatMap { fleet.claims($0.key)?.endpoints }
            request(Self.endpoint, nonce: "")
            request(Self.listener, nonce: "")
        case Self.listener:
            names[Self.route] = Self.httpProxy
            request(Self.route, nonce: "")
        default: break
        }
        if received.count == Self.typeCount { fleet.synced() }
    }

    // MARK: Requests

    func ask(for type: String, on thread: FleetThread) {
        request(type, nonce: "")
        answer(on: thread)
    }

    private static let httpProxy = bytes(
        Envoy_Service_Discovery_V3_DiscoveryRequest.with { $0.resourceNames = ["http_proxy"] })

    /// - Parameter nonce: of the response that it acknowledges; empty for the first request of a type.
    private func request(_ type: String, nonce: String) {
        let isFirst = nonce.isEmpty
        // Protobuf messages are joined by joining their bytes.
        var parts: [ByteBuffer] = []
        if fleet.dialect.isDelta {
            var request = Envoy_Service_Discovery_V3_DeltaDiscoveryRequest()
            request.typeURL = type
            request.responseNonce = nonce
            if isFirst && type == Self.cluster { request.node = identity.node }
            parts.append(Self.bytes(request))
            if isFirst, let names = names[type] { parts.append(names) }
            if isFirst, let held = held[type], let claims = fleet.claims(held.key) { parts.append(claims.versions) }
        } else {
            var request = Envoy_Service_Discovery_V3_DiscoveryRequest()
            request.typeURL = type
            request.responseNonce = nonce
            request.versionInfo = held[type]?.version ?? ""
            if isFirst && type == Self.cluster { request.node = identity.node }
            parts.append(Self.bytes(request))
            if let names = names[type] { parts.append(names) }
        }
        connection?.send(parts)
    }
}

/// What a proxy needs to know of a `DiscoveryResponse` or `DeltaDiscoveryResponse`, whose fields have the same numbers.
private struct Response {
    var version = ""
    var type = ""
    var nonce = ""

    /// Equal for responses with the same contents.
    var key: String { type + version }

    /// - Parameter message: may be cut off; the server writes what is not a resource first.
    init(_ message: ByteBuffer) {
        var wire = Wire(message)
        while let (field, value) = wire.next() {
            switch field {
            case 1: version = String(buffer: value)
            case 4: type = String(buffer: value)
            case 5: nonce = String(buffer: value)
            default: continue
            }
        }
    }

    /// The names of the resources, with their versions in delta.
    static func contents(of message: ByteBuffer, isDelta: Bool) -> [String: String] {
        var contents: [String: String] = [:]
        var wire = Wire(message)
        while let (field, value) = wire.next() {
            guard field == 2 else { continue }
            let (name, version) = isDelta ? resource(value) : (nameInAny(value), "")
            if let name { contents[name] = version }
        }
        return contents
    }

    /// Of an `envoy.service.discovery.v3.Resource`.
    private static func resource(_ bytes: ByteBuffer) -> (name: String?, version: String) {
        var wire = Wire(bytes)
        var name: String?
        var version = ""
        while let (field, value) = wire.next() {
            if field == 3 { name = String(buffer: value) }
            if field == 1 { version = String(buffer: value) }
        }
        return (name, version)
    }

    /// Of a resource in a `google.protobuf.Any`; all of our types have their name in field 1.
    private static func nameInAny(_ bytes: ByteBuffer) -> String? {
        var wire = Wire(bytes)
        while let (field, value) = wire.next() {
            guard field == 2 else { continue }
            var resource = Wire(value)
            if let (field, name) = resource.next(), field == 1 { return String(buffer: name) }
        }
        return nil
    }
}
