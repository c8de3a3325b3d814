internal import EnvoyProtos
internal import Foundation
package import GRPCServer
internal import NIOCore
internal import SwiftProtobuf

/// The clients whose status a caller may see.
package enum StatusVisibility: Hashable, Sendable {
    /// The client of this name; see ``Admission/proxy``.
    case own(proxy: String)
    case everything
}

/// Decides who may see the status of clients.
package protocol ClientStatusDelegate: Sendable {
    /// Called on an event loop: must be quick and must not block.
    ///
    /// - Throws: the status that the call is ended with.
    func visibility(_ request: AdmissionRequest) throws(GRPCStatus) -> StatusVisibility
}

/// The client status discovery service (`envoy.service.status.v3.ClientStatusDiscoveryService`): what the clients of this
/// server were sent, and what they said to it.
package struct CSDSService: GRPCService {
    private static let name = "envoy.service.status.v3.ClientStatusDiscoveryService"

    let delegate: any ClientStatusDelegate
    let store: SnapshotStore

    package init(delegate: any ClientStatusDelegate, store: SnapshotStore) {
        self.delegate = delegate
        self.store = store
    }

    package func open(_ call: GRPCCall) -> (any GRPCCallHandler)? {
        guard call.path.service == Self.name else { return nil }
        switch call.path.method {
        case "FetchClientStatus": return CSDSCall(call, self, isUnary: true)
        case "StreamClientStatus": return CSDSCall(call, self, isUnary: false)
        default: return nil
        }
    }
}

/// One call. Bound to its event loop; answers one request at a time, so that nobody can have many answers made at once.
private final class CSDSCall: GRPCCallHandler {
    private typealias Request = Envoy_Service_Status_V3_ClientStatusRequest

    /// Clients of an answer. More are refused: their resources would be hundreds of megabytes.
    private static let maxClients = 100
    /// Requests that may wait.
    private static let maxWaiting = 16

    private let call: GRPCCall
    private let service: CSDSService
    private let isUnary: Bool
    private var waiting: [Request] = []
    private var isBusy = false
    private var isInputClosed = false

    init(_ call: GRPCCall, _ service: CSDSService, isUnary: Bool) {
        self.call = call
        self.service = service
        self.isUnary = isUnary
    }

    func received(_ message: ByteBuffer) {
        guard let request = try? Request(serializedBytes: Array(message.readableBytesView)) else {
            return call.finish(GRPCStatus(.invalidArgument, "the message is not a ClientStatusRequest"))
        }
        guard waiting.count < (isUnary ? 1 : Self.maxWaiting) else {
            return call.finish(GRPCStatus(.resourceExhausted, "too many requests at once"))
        }
        waiting.append(request)
        answerNext()
    }

    func inputClosed() {
        isInputClosed = true
        answerNext()
    }

    func writable() { answerNext() }

    func draining() { call.finish(GRPCStatus(.unavailable, "the server is going away; connect again")) }

    func closed(_ reason: GRPCCloseReason) { waiting = [] }

    private func answerNext() {
        guard !isBusy, call.isWritable else { return }
        guard !waiting.isEmpty else {
            if isInputClosed { call.finish(.ok) }
            return
        }
        do {
            try answer(waiting.removeFirst())
        } catch {
            call.finish(error)
        }
    }

    private func answer(_ request: Request) throws(GRPCStatus) {
        let node = NodeInfo(request.node)
        var filter = ClientStatusFilter()
        let visibility = try service.delegate.visibility(AdmissionRequest(metadata: call.metadata, node: node))
        call.connection.trust()
        if case .own(let proxy) = visibility { filter.proxy = proxy }
        filter.node = try NodeFilter(request.nodeMatchers).matches
        filter.limit = Self.maxClients + 1
        isBusy = true
        let this = NIOLoopBound(self, eventLoop: call.eventLoop)
        let hasContents = !request.excludeResourceContents
        service.store.statuses(filter, on: call.eventLoop).whenComplete { result in
            this.value.send((try? result.get()) ?? [], hasContents: hasContents)
        }
    }

    private func send(_ clients: [ClientStatus], hasContents: Bool) {
        isBusy = false
        guard clients.count <= Self.maxClients else {
            return call.finish(
                GRPCStatus(.resourceExhausted, "more than \(Self.maxClients) clients: say which with node_matchers"))
        }
        var response = Envoy_Service_Status_V3_ClientStatusResponse()
        response.config = clients.map { Envoy_Service_Status_V3_ClientConfig($0, hasContents: hasContents) }
        let bytes: [UInt8]? = try? response.serializedBytes()
        call.send(OutboundMessage(ByteBuffer(bytes: bytes ?? [])))
        if isUnary { return call.finish(.ok) }
        answerNext()
    }
}

/// Bound to its event loop.
@available(*, unavailable)
extension CSDSCall: Sendable {}

/// `node_matchers`, as far as they are understood: by a node's `id`.
private struct NodeFilter {
    private let matchers: [Envoy_Type_Matcher_V3_StringMatcher]

    init(_ matchers: [Envoy_Type_Matcher_V3_NodeMatcher]) throws(GRPCStatus) {
        for matcher in matchers {
            // What is not read must not be taken for a yes.
            guard matcher.unknownFields.data.isEmpty, matcher.hasNodeID, Self.isUnderstood(matcher.nodeID) else {
                throw GRPCStatus(
                    .invalidArgument, "node_matchers may only have node_id with exact, prefix, suffix or contains")
            }
        }
        self.matchers = matchers.map(\.nodeID)
    }

    private static func isUnderstood(_ matcher: Envoy_Type_Matcher_V3_StringMatcher) -> Bool {
        switch matcher.matchPattern {
        case .exact, .prefix, .suffix, .contains: matcher.unknownFields.data.isEmpty
        default: false
        }
    }

    var matches: @Sendable (String) -> Bool {
        { [matchers] id in matchers.isEmpty || matchers.contains { Self.matches($0, id) } }
    }

    private static func matches(_ matcher: Envoy_Type_Matcher_V3_StringMatcher, _ id: String) -> Bool {
        func text(_ text: String) -> String { matcher.ignoreCase ? text.lowercased() : text }
        return switch matcher.matchPattern {
        case .exact(let other): text(id) == text(other)
        case .prefix(let other): text(id).hasPrefix(text(other))
        case .suffix(let other): text(id).hasSuffix(text(other))
        case .contains(let other): text(id).contains(text(other))
        default: false
        }
    }
}

extension Envoy_Service_Status_V3_ClientConfig {
    fileprivate init(_ client: ClientStatus, hasContents: Bool) {
        self.init()
        node.id = client.node
        genericXdsConfigs = client.types.flatMap { type in
            let sent = type.resources.map { GenericXdsConfig($0, type.report, hasContents: hasContents) }
            let missing = type.names.map { $0.subtracting(type.resources.map(\.name)).sorted() } ?? []
            return sent + missing.map { GenericXdsConfig(notSent: $0, of: type.report.type) }
        }
    }
}

extension Envoy_Service_Status_V3_ClientConfig.GenericXdsConfig {
    fileprivate init(_ resource: EncodedResource, _ report: TypeReport, hasContents: Bool) {
        self.init()
        typeURL = resource.type.typeURL
        name = resource.name
        versionInfo = resource.version
        if hasContents {
            xdsConfig.typeURL = resource.type.typeURL
            xdsConfig.value = Data(resource.body)
        }
        switch report.state {
        case .synced: configStatus = .synced
        case .stale: configStatus = .stale
        case .rejected:
            // Of what the client did not name, any may be meant; of the rest it is not known whether the client took it.
            guard report.refused.isEmpty || report.refused.contains(resource.name) else { break }
            configStatus = .error
            errorState.details = report.error ?? ""
            errorState.versionInfo = report.refusedVersion ?? ""
        }
    }

    fileprivate init(notSent name: String, of type: ResourceType) {
        self.init()
        typeURL = type.typeURL
        self.name = name
        configStatus = .notSent
    }
}
