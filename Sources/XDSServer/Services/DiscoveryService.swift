internal import EnvoyProtos
package import GRPCServer
package import Logging
internal import NIOCore
internal import SwiftProtobuf

/// The discovery services: the aggregated one and those of the single types, in both variants (``DiscoveryMethod``).
package struct DiscoveryService: GRPCService {
    let delegate: any XDSDelegate
    let store: SnapshotStore
    let registry: ProxyRegistry
    let places: TenantPlaces
    let names: NameLimits
    let logger: Logger

    /// - Parameter places: shared by all services of a server.
    package init(
        delegate: any XDSDelegate, store: SnapshotStore, registry: ProxyRegistry,
        places: TenantPlaces = TenantPlaces(.none), names: NameLimits = NameLimits(), logger: Logger
    ) {
        self.places = places
        self.names = names
        self.delegate = delegate
        self.store = store
        self.registry = registry
        self.logger = logger
    }

    package func open(_ call: GRPCCall) -> (any GRPCCallHandler)? {
        DiscoveryMethod(call.path).map { DiscoveryStream(call, $0, self) }
    }
}

/// One stream of a client. Bound to its event loop: turns messages into requests, feeds the machine, and sends what the
/// machine says, as fast as the client takes it.
///
/// As long as it has not acknowledged anything, the client is a newcomer: its messages, and the first that it is sent, may have to
/// wait (``AdmissionGate``).
final class DiscoveryStream: GRPCCallHandler, Newcomer {
    private let call: GRPCCall
    private let service: DiscoveryService
    private let machine: StreamMachine
    private var admission: Admission?
    private var owner = LifeGuard()
    private let hub: StreamHub
    private var lastReport: ProxyReport?
    private let peer: String
    private var wasContested = false
    /// Names that two of the client's layers have.
    private var duplicateNames: [ResourceType: Set<String>] = [:]
    /// When what is new of the stream will be reported, if there is anything.
    var reportState = ReportState.none
    private var nodeID = ""
    /// Waits for the gate.
    private var isQueued = false
    /// Messages that wait with it. Nothing more is read from the connection meanwhile, so they are few.
    private var waiting: [ByteBuffer] = []
    /// The client as far as its metadata proves it, while it waits.
    private var identity: CallIdentity?
    /// Nothing more is taken from the client.
    private var isOver = false
    private var isClosed = false
    /// How the client takes resources.
    private var form: ResponseForm
    /// The timer after which the client is told to keep resources with a time to live.
    private var heartbeat: (interval: TimeAmount, next: Scheduled<Void>)?

    init(_ call: GRPCCall, _ method: DiscoveryMethod, _ service: DiscoveryService) {
        self.call = call
        self.service = service
        peer = call.connection.peer?.ipAddress ?? ""
        hub = service.store.hub(on: call.eventLoop)
        machine = StreamMachine(method.variant, only: method.type, limits: service.names, sharing: hub.sharing)
        form = ResponseForm(method.variant)
    }

    // MARK: The client's side

    func received(_ message: ByteBuffer) {
        guard isQueued || machine.ackedRevision == 0 else { return handle(message) }
        if !isQueued && hub.gate.isOpen { return hub.gate.serve { handle(message) } }
        waiting.append(message)
        guard !isQueued else { return }
        do throws(GRPCStatus) {
            try identify()
        } catch {
            waiting = []
            return finish(error)
        }
        queue()
    }

    /// In whose queue it waits.
    private var tenant: String { admission?.tenant ?? identity?.tenant ?? "" }

    private func queue() {
        isQueued = true
        hub.gate.wait(self, of: tenant)
        call.pauseInput()
    }

    func proceed() {
        isQueued = false
        let messages = waiting
        waiting = []
        for message in messages where !isOver { handle(message) }
        // What has been published since it was let in.
        if !isOver, machine.snapshot == nil, let admission, let snapshot = service.store.snapshot(of: admission.view) {
            serve(snapshot)
        }
        call.resumeInput()
    }

    private func handle(_ message: ByteBuffer) {
        do {
            try identify()
            let (request, node) = try DiscoveryRequest.decode(message, machine.variant, hub.sharing.lists)
            if admission == nil { try admit(node) }
            try machine.receive(request)
        } catch let status as GRPCStatus {
            return finish(status)
        } catch let refusal as RequestRefusal {
            return finish(
                GRPCStatus(refusal.reason == .invalid ? .invalidArgument : .resourceExhausted, refusal.detail))
        } catch {
            return finish(GRPCStatus(.invalidArgument, "the message is not a discovery request"))
        }
        pump()
    }

    /// Finds out who the client is before its messages are looked at, if it says so beside them.
    private func identify() throws(GRPCStatus) {
        guard admission == nil, identity == nil else { return }
        identity = try service.delegate.identity(of: call.metadata)
    }

    private func admit(_ node: Envoy_Config_Core_V3_Node) throws(GRPCStatus) {
        guard node.id.utf8.count <= 1_024, node.cluster.utf8.count <= 1_024 else {
            throw GRPCStatus(.invalidArgument, "node.id or node.cluster is too long")
        }
        let admission = try service.delegate.admit(
            AdmissionRequest(metadata: call.metadata, node: NodeInfo(node), identity: identity))
        try service.places.take(admission)
        self.admission = admission
        call.connection.trust()
        identity = nil
        nodeID = node.id
        form = ResponseForm(machine.variant, clientFeatures: node.clientFeatures)
        machine.takesTTL = form.hasTTL
        hub.insert(self, admission.view)
        if let snapshot = service.store.attach(admission.view) { try adopt(snapshot) }
        service.logger.debug("stream admitted", metadata: ["proxy": "\(admission.proxy)"])
    }

    private func finish(_ status: GRPCStatus) {
        isOver = true
        call.finish(status)
    }

    func inputClosed() { finish(.ok) }

    func writable() { pump() }

    func draining() { finish(GRPCStatus(.unavailable, "the server is going away; connect again")) }

    func closed(_ reason: GRPCCloseReason) {
        isOver = true
        if isQueued { hub.gate.leave(self, of: tenant) }
        (isQueued, waiting) = (false, [])
        isClosed = true
        heartbeat?.next.cancel()
        guard let admission else { return }
        report()
        service.places.giveBack(admission)
        hub.remove(self, admission.view)
        service.store.detach(admission.view)
        service.logger.debug("stream closed", metadata: ["proxy": "\(admission.proxy)", "reason": "\(reason)"])
    }

    // MARK: The server's side

    /// The newest snapshot of the stream's view that it has.
    var snapshot: Snapshot? { machine.snapshot }

    /// Takes a newer snapshot of the stream's view.
    func update(_ snapshot: Snapshot) {
        // A write to another stream of this connection may have found that it is gone.
        guard !isOver else { return }
        guard machine.snapshot == nil else { return serve(snapshot) }
        // It is one of many, perhaps, who have come together and wait for their first one.
        if isQueued { return }
        if hub.gate.isOpen { hub.gate.serve { serve(snapshot) } } else { queue() }
    }

    private func serve(_ snapshot: Snapshot) {
        call.connection.flushing {
            do throws(GRPCStatus) {
                try adopt(snapshot)
                pump()
            } catch {
                finish(error)
            }
        }
    }

    private func adopt(_ snapshot: Snapshot) throws(GRPCStatus) {
        if let admission { try owner.check(snapshot, for: admission, service.delegate) }
        warn(snapshot.duplicateNames)
        machine.update(snapshot)
        guard form.hasTTL else { return }
        // One of three may be late or lost.
        let interval = snapshot.shortestTTL.map { TimeAmount($0 / 3) }
        guard interval != heartbeat?.interval else { return }
        heartbeat?.next.cancel()
        heartbeat = nil
        if let interval { beat(in: interval) }
    }

    private func warn(_ duplicateNames: [ResourceType: Set<String>]) {
        defer { self.duplicateNames = duplicateNames }
        for (type, names) in duplicateNames where self.duplicateNames[type] != names {
            service.logger.warning(
                "two layers of a proxy have resources of one name, and one of them is served",
                metadata: [
                    "proxy": "\(admission?.proxy ?? "")", "type": "\(type.abbreviation)",
                    "names": "\(names.sorted().prefix(20))",
                ])
        }
    }

    private func beat(in interval: TimeAmount) {
        let next = call.eventLoop.assumeIsolated().scheduleTask(in: interval) {
            self.machine.beat()
            self.beat(in: interval)
            self.pump()
        }
        heartbeat = (interval, next)
    }

    /// Sends what there is to send while the client takes it. What is not sent now is not queued: the machine makes it
    /// anew, from the newest snapshot, when the stream is writable again.
    private func pump() {
        while call.isWritable, let response = machine.next() {
            call.send(response.message(form, isCompressed: call.acceptsGzip, service.store.recentBodies))
        }
        reportSoon()
    }

    enum ReportState { case none, soon, later }

    private func reportSoon() {
        guard admission != nil, reportState != .soon else { return }
        reportState = .soon
        hub.reportSoon(self)
    }

    /// The client has been sent something and has yet to answer, and nothing is wrong so far.
    var expectsAnswer: Bool {
        machine.nack == nil && machine.subscriptions.contains(where: \.delivery.isInFlight)
    }

    /// Tells the registry what is known of the client now. Of one that has not been served anything nothing is: it may turn out
    /// that it must not be.
    func report() {
        reportState = .none
        guard let admission, machine.snapshot != nil else { return }
        let nack = machine.nack
        let types = machine.subscriptions.map(typeReport)
        let report = ProxyReport(
            proxy: admission.proxy, view: admission.view, owner: owner.name, isConnected: !isClosed,
            ackedRevision: machine.ackedRevision, rejectedRevision: nack?.revision,
            rejectedMessage: nack?.message, types: types, answeredRevision: machine.answeredRevision,
            firstRevision: machine.firstRevision, routes: routes, peer: peer)
        guard report != lastReport else { return }
        lastReport = report
        let isContested = service.registry.update(report, stream: call.id, isAggregated: machine.only == nil)
        if isContested && !wasContested {
            service.logger.warning(
                "a proxy has streams from several addresses, and counts as far as the slowest is",
                metadata: ["proxy": "\(admission.proxy)", "peer": "\(peer)"])
        }
        wasContested = isContested
    }

    /// See ``ProxyReport/routes``.
    private var routes: [String]? {
        guard let subscription = machine.subscriptions.first(where: { $0.type == .route }) else { return [] }
        guard !subscription.interest.isWildcard, subscription.interest.names.count <= ProxyReport.maxRoutes else {
            return nil
        }
        return subscription.interest.names.names.sorted()
    }

    private func typeReport(_ subscription: Subscription) -> TypeReport {
        TypeReport(
            type: subscription.type, state: state(of: subscription), sentVersion: subscription.delivery.lastVersion,
            ackedVersion: subscription.delivery.ackedVersion, error: subscription.delivery.nack?.message,
            refusedVersion: subscription.delivery.nack?.version, refused: subscription.delivery.nack?.names ?? [],
            lacking: subscription.lacking)
    }

    /// The client's state; `nil` before it is admitted, or if the filter leaves it out.
    func status(_ filter: ClientStatusFilter) -> (stream: UInt64, client: ClientStatus)? {
        guard let admission, filter.proxy == nil || filter.proxy == admission.proxy, filter.node(nodeID) else {
            return nil
        }
        let types = machine.subscriptions.map { subscription in
            let names = subscription.interest.isWildcard ? nil : subscription.interest.names
            let known = subscription.delivery.lastSent?.resources ?? []
            return ClientTypeStatus(
                report: typeReport(subscription), resources: known.filter { names?.contains($0.name) ?? true },
                names: names?.names)
        }
        return (call.id, ClientStatus(proxy: admission.proxy, node: nodeID, types: types))
    }

    private func state(of subscription: Subscription) -> TypeReport.State {
        if subscription.delivery.nack != nil { return .rejected }
        guard let snapshot = machine.snapshot else { return .stale }
        return subscription.isSettled(on: snapshot[subscription.type]) ? .synced : .stale
    }
}

extension NodeInfo {
    init(_ node: Envoy_Config_Core_V3_Node) {
        let metadata = node.metadata.fields.compactMapValues { value -> String? in
            guard case .stringValue(let text)? = value.kind else { return nil }
            return text
        }
        self.init(id: node.id, cluster: node.cluster, metadata: metadata)
    }
}

extension DiscoveryResponse {
    /// The response as a gRPC message: a few bytes of its own, and the resources' shared ones.
    ///
    /// - Parameter isCompressed: whether the client takes gzip. What is not worth it is sent as it is all the same.
    func message(_ form: ResponseForm, isCompressed: Bool, _ recent: RecentBodies) -> OutboundMessage {
        let head = head(form.variant)
        let body = body(form, recent)
        let size = body.reduce(0) { $0 + $1.plain.readableBytes }
        guard isCompressed, size >= SharedBytes.compressesFrom else {
            return OutboundMessage(segments: [head] + body.map(\.plain))
        }
        return OutboundMessage(gzip: [GzipPart(storing: head)] + body.map(\.gzip))
    }

    private func body(_ form: ResponseForm, _ recent: RecentBodies) -> [SharedBytes] {
        switch resources {
        case .everything(let set, let lingering): set.body(form) + lingering.map { $0.field(form) }
        case .some(let resources) where isHeartbeat: resources.compactMap(\.heartbeat)
        case .some(let resources) where resources.count > Self.joinsFrom: [recent.body(resources, form)]
        case .some(let resources): resources.map { $0.field(form) }
        }
    }

    /// How many resources are worth looking up whether they were sent together before.
    private static let joinsFrom = 8

    private func head(_ variant: Variant) -> ByteBuffer {
        let bytes: [UInt8]?
        switch variant {
        case .stateOfTheWorld:
            var response = Envoy_Service_Discovery_V3_DiscoveryResponse()
            response.versionInfo = version
            response.typeURL = type.typeURL
            response.nonce = nonce
            bytes = try? response.serializedBytes()
        case .delta:
            var response = Envoy_Service_Discovery_V3_DeltaDiscoveryResponse()
            response.systemVersionInfo = version
            response.typeURL = type.typeURL
            response.nonce = nonce
            response.removedResources = removed
            bytes = try? response.serializedBytes()
        }
        return ByteBuffer(bytes: bytes ?? [])
    }
}

/// Bound to its event loop.
@available(*, unavailable)
extension DiscoveryStream: Sendable {}
