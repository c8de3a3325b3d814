internal import CoreMetrics
internal import Documents
internal import Egress
internal import Logging
internal import MeshControl
internal import MeshDataPlane
internal import MeshFeed
internal import MeshIdentity
internal import MeshRelease
internal import MeshStore
internal import MeshTelemetry
internal import Postgres
internal import ServiceLifecycle

/// The components that run between the two front doors and the database.
struct Components: Sendable {
    /// The store that requests use.
    let api: MeshStore
    /// The store that the replica itself uses, on connections of its own: heartbeats, the release engine, feeds, reports, upkeep.
    let store: MeshStore
    let feeds: FeedReader
    let control: ControlPlane
    /// Calls what users name.
    let egress: EgressClient
    /// Wrap the keys that secrets are sealed by.
    let sealing: KeyEncryptionKeys?
    let dataPlane: DataPlane
    let signals: ChangeSignals
    let releases = ReleaseSignal()
    let notifications = ReleaseSignal()
    let proxyRetention: Duration
    let logger: Logger

    /// - Parameters:
    ///   - api: what requests use.
    ///   - store: what the replica itself uses.
    ///   - proxyRetention: how long proxies are remembered that are away.
    ///   - listenerTTL: how long sidecars that hear from no server go on with their listeners; `nil`: for ever.
    ///   - egress: calls what users name.
    ///   - sealing: wrap the keys that secrets are sealed by; `nil`: there are no secrets.
    ///   - metrics: where the components count what nobody can ask them.
    init(
        api: MeshStore, store: MeshStore, tokens: ProxyTokens, signals: ChangeSignals, proxyRetention: Duration,
        listenerTTL: Duration?, egress: EgressClient, sealing: KeyEncryptionKeys?, metrics: any MetricsFactory,
        logger: Logger
    ) {
        self.egress = egress
        self.sealing = sealing
        self.api = api
        self.store = store
        self.proxyRetention = proxyRetention
        self.signals = signals
        self.logger = logger
        feeds = FeedReader(store: store, logger: logger)
        control = ControlPlane(store: api, feeds: feeds, sealing: sealing, logger: logger)
        dataPlane = DataPlane(
            api: api, store: store, mirror: feeds.mirror, tokens: tokens, listenerTTL: listenerTTL, metrics: metrics,
            logger: logger)
    }

    /// The services that nobody connects to.
    func background(replica: String) -> [any Service] {
        // Before the first signal, which may come as soon as the first of the services runs.
        let followed = signals.subscribe { [feeds] in feeds.isConcerned(by: $0) }
        let kept = signals.subscribe { if case .changed = $0 { true } else { false } }
        let released = signals.subscribe { $0 == .release }
        let engine = ControlPlane(store: store, feeds: feeds, egress: egress, sealing: sealing, logger: logger)
        let queue = StoredReleaseQueue(control: engine, signal: releases)
        let driver = ReleaseDriver(queue: queue, replica: replica, logger: logger)
        let keeper = ConditionKeeper(store: store, mirror: feeds.mirror, replica: replica, logger: logger)
        return [
            Background("signals", logger) { try await signals.run() },
            Background("feeds", logger) { try await feeds.run(signals: followed) },
            Background("publisher", logger) { try await dataPlane.publish() },
            Background("conditions", logger) { try await keeper.run(signals: kept) },
            Background("reporter", logger) {
                try await dataPlane.report(as: replica, wakeReleases: { releases.notify() })
            },
            Background("release signals", logger) {
                for await _ in released {
                    releases.notify()
                    notifications.notify()
                }
            },
            Background("notifications", logger) {
                try await NotificationDriver(control: engine, signal: notifications, logger: logger).run()
            },
            Background("releases", logger) { try await driver.run() },
            Background("egress", logger) {
                try? await Task.sleep(for: .seconds(86_400 * 365 * 100))
                await egress.shutdown()
            },
            Background("measurements", logger) {
                try await MeasurementDriver(control: engine, signal: releases, logger: logger).run()
            },
            Background("telemetry reader", logger) { try await dataPlane.readStats() },
            Background("telemetry", logger) { try await dataPlane.recordTraffic() },
            Background("telemetry roll-up", logger) {
                try await TrafficRollUp(store: store, logger: logger).run()
            },
            Background("freeze windows", logger) { try await FreezeKeeper(store: store, logger: logger).run() },
            Background("compaction", logger) { try await compact() },
            Background("references", logger) { try await mendReferences() },
            Background("proxy retention", logger) { try await dataPlane.forgetProxies(awayFor: proxyRetention) },
            Background("signing keys", logger) { try await dataPlane.followKeys() },
            Background("memory", logger) { try await HeapTrimmer(logger: logger).run() },
        ]
    }

    /// Forgets changes that everybody has seen.
    private func compact() async throws {
        while true {
            try await Task.sleep(for: .seconds(600))
            do {
                try await store.compactChanges(olderThan: .seconds(86_400))
            } catch {
                logger.warning("changes not compacted", metadata: ["error": "\(error)"])
            }
        }
    }

    /// Makes rows of what objects name for those that a version of this server has written that does not: all of them after the
    /// first start of one that does, and what the others write while replicas are updated.
    private func mendReferences() async throws {
        while true {
            do {
                while try await store.mendReferences() > 0 {}
            } catch {
                logger.warning("references not made right", metadata: ["error": "\(error)"])
            }
            try await Task.sleep(for: .seconds(30))
        }
    }
}
