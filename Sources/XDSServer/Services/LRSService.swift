internal import EnvoyProtos
package import GRPCServer
internal import NIOCore
internal import SwiftProtobuf

/// The load reporting service (`envoy.service.load_stats.v3.LoadReportingService`): clients say every so often what they have
/// sent to the clusters of their view, and how it ended.
package struct LRSService: GRPCService {
    let admission: any XDSDelegate
    let delegate: any LoadReportDelegate
    let store: SnapshotStore
    let places: TenantPlaces
    /// How often clients report; `nil`: they are told that nobody wants to hear of any cluster.
    let interval: Duration?

    package init(
        admission: any XDSDelegate, delegate: any LoadReportDelegate, store: SnapshotStore,
        places: TenantPlaces = TenantPlaces(.none), interval: Duration?
    ) {
        self.places = places
        self.admission = admission
        self.delegate = delegate
        self.store = store
        self.interval = interval
    }

    package func open(_ call: GRPCCall) -> (any GRPCCallHandler)? {
        guard call.path.service == "envoy.service.load_stats.v3.LoadReportingService",
            call.path.method == "StreamLoadStats"
        else { return nil }
        return LRSStream(call, self)
    }
}

/// One client's reports. Bound to its event loop.
private final class LRSStream: GRPCCallHandler {
    /// The feature of a client that can be told "all". One that has not hears of the clusters that there are at the moment.
    private static let sendsAll = "envoy.lrs.supports_send_all_clusters"

    private let call: GRPCCall
    private let service: LRSService
    private var admission: Admission?
    private var owner = LifeGuard()
    private var isOver = false

    init(_ call: GRPCCall, _ service: LRSService) {
        self.call = call
        self.service = service
    }

    func received(_ message: ByteBuffer) {
        guard !isOver else { return }
        var identity: CallIdentity?
        do throws(GRPCStatus) {
            if admission == nil { identity = try service.admission.identity(of: call.metadata) }
        } catch {
            return finish(error)
        }
        guard
            let request = try? Envoy_Service_LoadStats_V3_LoadStatsRequest(
                serializedBytes: Array(message.readableBytesView))
        else { return finish(GRPCStatus(.invalidArgument, "the message is not a LoadStatsRequest")) }
        do {
            guard let admission else { return try begin(request.node, identity) }
            try record(request.clusterStats, of: admission)
        } catch {
            finish(error)
        }
    }

    /// The first message says who reports. It reports nothing yet: nobody has told the client what to report.
    private func begin(_ node: Envoy_Config_Core_V3_Node, _ identity: CallIdentity?) throws(GRPCStatus) {
        guard node.id.utf8.count <= 1_024, node.cluster.utf8.count <= 1_024 else {
            throw GRPCStatus(.invalidArgument, "node.id or node.cluster is too long")
        }
        let admission = try service.admission.admit(
            AdmissionRequest(metadata: call.metadata, node: NodeInfo(node), identity: identity))
        try service.places.take(admission)
        self.admission = admission
        call.connection.trust()
        // The client may have its other stream with another replica; the names are needed here too.
        _ = service.store.attach(admission.view)
        var response = Envoy_Service_LoadStats_V3_LoadStatsResponse()
        response.loadReportingInterval = .init(rounding: service.interval ?? .seconds(3_600))
        if service.interval != nil {
            response.sendAllClusters = node.clientFeatures.contains(Self.sendsAll)
            if !response.sendAllClusters { response.clusters = try clusters(of: admission).resources.map(\.name) }
        }
        let bytes: [UInt8]? = try? response.serializedBytes()
        call.send(OutboundMessage(ByteBuffer(bytes: bytes ?? [])))
    }

    private func clusters(of admission: Admission) throws(GRPCStatus) -> LayeredSet {
        guard let snapshot = service.store.snapshot(of: admission.view) else { return .empty }
        try owner.check(snapshot, for: admission, service.admission)
        return snapshot[.cluster]
    }

    private func record(_ stats: [Envoy_Config_Endpoint_V3_ClusterStats], of admission: Admission) throws(GRPCStatus) {
        // Names that are not of the view are nobody's business, and would let a client fill the memory.
        let known = try clusters(of: admission)
        var clusters: [String: ClusterLoad] = [:]
        for cluster in stats where known[cluster.clusterName] != nil {
            var load = ClusterLoad(dropped: cluster.totalDroppedRequests)
            for locality in cluster.upstreamLocalityStats {
                load.add(
                    ClusterLoad(succeeded: locality.totalSuccessfulRequests, failed: locality.totalErrorRequests))
            }
            if !load.isEmpty { clusters[cluster.clusterName, default: ClusterLoad()].add(load) }
        }
        service.delegate.record(
            LoadReport(
                proxy: admission.proxy, view: admission.view, owner: owner.name, clusters: clusters))
    }

    private func finish(_ status: GRPCStatus) {
        isOver = true
        call.finish(status)
    }

    func inputClosed() { finish(.ok) }

    func writable() {}

    func draining() { finish(GRPCStatus(.unavailable, "the server is going away; connect again")) }

    func closed(_ reason: GRPCCloseReason) {
        isOver = true
        guard let admission else { return }
        service.places.giveBack(admission)
        service.store.detach(admission.view)
    }
}

/// Bound to its event loop.
@available(*, unavailable)
extension LRSStream: Sendable {}
