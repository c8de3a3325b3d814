import EnvoyProtos
import GRPCServer
import HTTP2
import Logging
import NIOCore
import NIOPosix
import Synchronization
import Testing

@testable import XDSServer

/// Lets in who has the token; a proxy is its node's id, and its view the node's cluster.
struct TokenDelegate: XDSDelegate, ClientStatusDelegate {
    static let token = HTTP2Header("authorization", "Bearer right")
    /// Sees everybody's status.
    static let administrator = HTTP2Header("authorization", "Bearer administrator")

    func visibility(_ request: AdmissionRequest) throws(GRPCStatus) -> StatusVisibility {
        if request.metadata.first("authorization") == Self.administrator.value { return .everything }
        return .own(proxy: try admit(request).proxy)
    }

    func admit(_ request: AdmissionRequest) throws(GRPCStatus) -> Admission {
        guard request.metadata.first("authorization") == Self.token.value else {
            throw GRPCStatus(.unauthenticated, "the token is wrong")
        }
        guard !request.node.id.isEmpty else { throw GRPCStatus(.invalidArgument, "node.id is missing") }
        return Admission(
            proxy: request.node.id, view: ViewID(request.node.cluster), tenant: tenant(of: request.metadata) ?? "",
            right: request.metadata.first("right") ?? "")
    }

    func refusal(of admission: Admission, owner: String) -> GRPCStatus? {
        admission.right == owner ? nil : GRPCStatus(.permissionDenied, "not \(owner)'s")
    }

    func identity(of metadata: GRPCMetadata) -> CallIdentity? {
        tenant(of: metadata).map { CallIdentity(tenant: $0, proof: ()) }
    }

    private func tenant(of metadata: GRPCMetadata) -> String? { metadata.first("tenant") }
}

/// Keeps what clients report of their load.
final class LoadJournal: LoadReportDelegate {
    private let entries = Mutex<[LoadReport]>([])
    var reports: [LoadReport] { entries.withLock { $0 } }

    func record(_ report: LoadReport) { entries.withLock { $0.append(report) } }
}

/// Keeps the statistics that clients send, of which those that cannot be read are refused; and is full when it is told so.
final class StatsJournal: StatsDelegate {
    private let entries = Mutex<[StatsReport]>([])
    let isFull = Mutex(false)
    var reports: [StatsReport] { entries.withLock { $0 } }

    func record(_ message: [UInt8], of identity: CallIdentity, done: @escaping @Sendable (StatsStatus) -> Void) {
        if isFull.withLock({ $0 }) { return done(.full("no room")) }
        do throws(StatsReport.Unreadable) {
            let report = try StatsReport(message, identity: identity)
            entries.withLock { $0.append(report) }
            done(.taken)
        } catch {
            done(.unreadable(error.reason))
        }
    }
}

/// The service on a real server on the loopback.
final class Fixture: Sendable {
    let store: SnapshotStore
    let loads: LoadJournal
    let stats: StatsJournal
    let server: GRPCServer
    let address: SocketAddress
    private let registry: ProxyRegistry
    private let reports = Mutex<[String: ProxyReport]>([:])
    /// Of the store, that nobody waited for yet.
    private let events = Mutex<[SnapshotStore.Event]>([])

    private init(
        _ store: SnapshotStore, _ registry: ProxyRegistry, _ loads: LoadJournal, _ stats: StatsJournal,
        _ server: GRPCServer,
        _ address: SocketAddress
    ) {
        (self.store, self.registry, self.loads, self.stats) = (store, registry, loads, stats)
        (self.server, self.address) = (server, address)
    }

    /// The last that was said of a client.
    func report(of proxy: String) -> ProxyReport? {
        reports.withLock { reports in
            for report in registry.takeChanged() { reports[report.proxy] = report }
            return reports[proxy]
        }
    }

    /// A client's report, when it is as it should be. The suite's time limit is the deadline.
    func report(of proxy: String, when isReady: (ProxyReport) -> Bool) async -> ProxyReport? {
        if let report = report(of: proxy), isReady(report) { return report }
        for await _ in registry.changes {
            if let report = report(of: proxy), isReady(report) { return report }
        }
        return nil
    }

    /// Publishes as soon as a stream wants the view.
    func publish(_ snapshot: Snapshot, to view: ViewID) async {
        if !store.isWanted(view) { await event(.wanted(view)) }
        store.publish([view: snapshot])
    }

    /// Returns when the publisher has heard of it.
    func event(_ expected: SnapshotStore.Event) async {
        if take(expected) { return }
        for await _ in store.signals where take(expected) { return }
    }

    private func take(_ expected: SnapshotStore.Event) -> Bool {
        events.withLock { events in
            events += store.takeEvents()
            let index = events.firstIndex(of: expected)
            events.removeFirst(index.map { $0 + 1 } ?? events.count)
            return index != nil
        }
    }
}

extension Fixture {
    /// Serves while `body` runs, then shuts down.
    static func serving(
        pace: AdmissionGate.Pace = AdmissionGate.Pace(), loadReportInterval: Duration? = .seconds(1),
        places: TenantPlaces = TenantPlaces(.none),
        _ body: (Fixture) async throws -> Void
    ) async throws {
        let store = SnapshotStore(pace: pace)
        let logger = Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() })
        let registry = ProxyRegistry()
        let loads = LoadJournal()
        let stats = StatsJournal()
        var configuration = GRPCServer.Configuration(listeners: [.init(.host("127.0.0.1", port: 0))])
        configuration.gracePeriod = .milliseconds(100)
        let server = GRPCServer(
            configuration: configuration,
            service: XDSServices(
                discovery: DiscoveryService(
                    delegate: TokenDelegate(), store: store, registry: registry, places: places, logger: logger),
                csds: CSDSService(delegate: TokenDelegate(), store: store),
                lrs: LRSService(
                    admission: TokenDelegate(), delegate: loads, store: store, places: places,
                    interval: loadReportInterval),
                stats: StatsService(admission: TokenDelegate(), delegate: stats)),
            eventLoopGroup: MultiThreadedEventLoopGroup.singleton, logger: logger)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await server.run() }
            let address = try #require(await server.addresses().first)
            do {
                try await body(Fixture(store, registry, loads, stats, server, address))
            } catch {
                server.shutdown()
                throw error
            }
            server.shutdown()
            try await group.waitForAll()
        }
    }
}
