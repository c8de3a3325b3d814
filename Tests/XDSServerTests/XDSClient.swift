import EnvoyProtos
import GRPCServer
import HTTP2
import NIOCore
import NIOPosix
import SwiftProtobuf
import Testing

@testable import XDSServer

/// What a client hears.
final class Inbox: GRPCClientCallHandler {
    enum Event: Sendable {
        case message([UInt8])
        case closed(GRPCStatus)
    }
    private let continuation: AsyncStream<Event>.Continuation

    init(_ continuation: AsyncStream<Event>.Continuation) { self.continuation = continuation }
    func received(_ message: ByteBuffer) { continuation.yield(.message(Array(message.readableBytesView))) }
    func closed(_ status: GRPCStatus) {
        continuation.yield(.closed(status))
        continuation.finish()
    }
}

/// One stream of a client, an aggregated one unless a path is given.
struct XDSClient {
    let variant: Variant
    private let connection: NIOLoopBound<GRPCClientConnection>
    private let call: NIOLoopBound<GRPCClientCall>
    private var events: AsyncStream<Inbox.Event>.Iterator

    /// A response as both variants have it.
    struct Message {
        var type: ResourceType?
        var nonce: String
        /// The resources' own bytes.
        var bodies: [[UInt8]]
        var items: [Received.Item]
        var removed: [String]
    }

    init(
        _ variant: Variant, to address: SocketAddress, metadata: [HTTP2Header] = [TokenDelegate.token],
        path: String? = nil
    ) async throws {
        let loop = MultiThreadedEventLoopGroup.singleton.any()
        let connection = try await GRPCClientConnection.connect(to: address, on: loop).get()
        try await self.init(variant, on: connection, metadata: metadata, path: path)
    }

    /// Another stream on the same connection.
    func sibling() async throws -> XDSClient { try await XDSClient(variant, on: connection) }

    private init(
        _ variant: Variant, on connection: NIOLoopBound<GRPCClientConnection>,
        metadata: [HTTP2Header] = [TokenDelegate.token], path: String? = nil
    ) async throws {
        self.variant = variant
        let method = variant == .delta ? "DeltaAggregatedResources" : "StreamAggregatedResources"
        let path = path ?? "/envoy.service.discovery.v3.AggregatedDiscoveryService/\(method)"
        let loop = connection.eventLoop
        let (events, continuation) = AsyncStream.makeStream(of: Inbox.Event.self)
        call = try await loop.submit {
            NIOLoopBound(connection.value.open(path, metadata: metadata, handler: Inbox(continuation)), eventLoop: loop)
        }.get()
        self.connection = connection
        self.events = events.makeAsyncIterator()
    }

    // MARK: Requests

    /// Asks for names of a type; answers `message` if there is one, with a complaint if there is one.
    func send(
        _ type: ResourceType, _ names: [String] = [], node: String = "", view: String = "view",
        answering message: Message? = nil, error: String? = nil
    ) throws {
        switch variant {
        case .stateOfTheWorld:
            var request = Envoy_Service_Discovery_V3_DiscoveryRequest()
            request.typeURL = type.typeURL
            request.resourceNames = names
            if !node.isEmpty { (request.node.id, request.node.cluster) = (node, view) }
            request.responseNonce = message?.nonce ?? ""
            if let error { request.errorDetail.message = error }
            try send(request.serializedBytes())
        case .delta:
            var request = Envoy_Service_Discovery_V3_DeltaDiscoveryRequest()
            request.typeURL = type.typeURL
            request.resourceNamesSubscribe = message == nil ? names : []
            if !node.isEmpty { (request.node.id, request.node.cluster) = (node, view) }
            request.responseNonce = message?.nonce ?? ""
            if let error { request.errorDetail.message = error }
            try send(request.serializedBytes())
        }
    }

    /// Sends a request, with a node if it is the first of the stream.
    func send(_ request: DiscoveryRequest, node: String?, view: String) throws {
        var proxy = Envoy_Config_Core_V3_Node()
        if let node { (proxy.id, proxy.cluster) = (node, view) }
        switch request.names {
        case .all(let names):
            var message = Envoy_Service_Discovery_V3_DiscoveryRequest()
            (message.typeURL, message.responseNonce) = (request.typeURL, request.nonce)
            message.resourceNames = names.strings
            if node != nil { message.node = proxy }
            if let rejection = request.nack { message.errorDetail.message = rejection }
            try send(message.serializedBytes())
        case .change(let subscribe, let unsubscribe, let initialVersions):
            var message = Envoy_Service_Discovery_V3_DeltaDiscoveryRequest()
            (message.typeURL, message.responseNonce) = (request.typeURL, request.nonce)
            (message.resourceNamesSubscribe, message.resourceNamesUnsubscribe) = (
                subscribe.strings, unsubscribe.strings
            )
            message.initialResourceVersions = initialVersions.versions
            if node != nil { message.node = proxy }
            if let rejection = request.nack { message.errorDetail.message = rejection }
            try send(message.serializedBytes())
        }
    }

    /// Sends bytes as one gRPC message.
    func send(_ bytes: [UInt8]) {
        let call = call
        connection.eventLoop.execute { call.value.send(OutboundMessage(ByteBuffer(bytes: bytes))) }
    }

    func halfClose() {
        let call = call
        connection.eventLoop.execute { call.value.halfClose() }
    }

    /// Resets the stream; the connection stays.
    func cancel() {
        let call = call
        connection.eventLoop.execute { call.value.cancel() }
    }

    func disconnect() {
        let connection = connection
        connection.eventLoop.execute { connection.value.close() }
    }

    // MARK: Responses

    /// The next message, whatever it is.
    ///
    /// - Throws: the status, if the call ends first.
    mutating func nextBytes() async throws -> [UInt8] {
        let event = await events.next(isolation: #isolation)
        if case .closed(let status)? = event { throw status }
        guard case .message(let bytes)? = event else { throw CancellationError() }
        return bytes
    }

    /// The next response.
    ///
    /// - Throws: the status, if the call ends first.
    mutating func next() async throws -> Message {
        let bytes = try await nextBytes()
        switch variant {
        case .stateOfTheWorld:
            let response = try Envoy_Service_Discovery_V3_DiscoveryResponse(serializedBytes: bytes)
            return Message(
                type: ResourceType(typeURL: response.typeURL), nonce: response.nonce,
                bodies: response.resources.map { Array($0.value) },
                items: response.resources.map { any in
                    let name = String(decoding: any.value.prefix { $0 != UInt8(ascii: "=") }, as: UTF8.self)
                    return .init(name: name, version: "", content: Received.content(Array(any.value)))
                }, removed: [])
        case .delta:
            let response = try Envoy_Service_Discovery_V3_DeltaDiscoveryResponse(serializedBytes: bytes)
            #expect(
                response.resources.allSatisfy {
                    (!$0.hasResource || $0.resource.typeURL == response.typeURL) && !$0.version.isEmpty
                })
            return Message(
                type: ResourceType(typeURL: response.typeURL), nonce: response.nonce,
                bodies: response.resources.map { Array($0.resource.value) },
                items: response.resources.map {
                    .init(
                        name: $0.name, version: $0.version,
                        content: $0.hasResource ? Received.content(Array($0.resource.value)) : nil)
                }, removed: response.removedResources)
        }
    }

    /// How the call ends; responses before that are passed over.
    mutating func status() async -> GRPCStatus? {
        while let event = await events.next(isolation: #isolation) {
            if case .closed(let status) = event { return status }
        }
        return nil
    }
}
