internal import Documents
internal import Logging
internal import MeshControl
internal import MeshFeed
internal import MeshIdentity
internal import MeshModel
internal import MeshRelease
internal import MeshStore
internal import Postgres
internal import ServiceLifecycle
internal import XDSServer

/// What runs between the two front doors and the database.
struct Parts: Sendable {
    /// What requests use.
    let api: MeshStore
    /// What the replica itself uses, on connections of its own: heartbeats, the release engine, feeds, reports, upkeep.
    let store: MeshStore
    let feeds: FeedReader
    let control: ControlPlane
    let snapshots: SnapshotStore
    let registry = ProxyRegistry()
    let places = TenantPlaces(
        TenantLimits(
            streams: .init(Limits.streamsPerTenant.value, Limits.streamsPerTenant.rule),
            groups: .init(Limits.viewsPerTenant.value, Limits.viewsPerTenant.rule)))
    let admission: ProxyAdmission
    let loads: LoadMeter
    let publisher: ConfigPublisher
    let signals: ChangeSignals
    let releases = ReleaseSignal()
    let proxyRetention: Duration
    let listenerTTL: Duration?
    let logger: Logger

    /// - Parameters:
    ///   - api: what requests use.
    ///   - store: what the replica itself uses.
    ///   - proxyRetention: how long proxies are remembered that are away.
    ///   - listenerTTL: how long sidecars that hear from no server go on with their listeners; `nil`: for ever.
    init(
        api: MeshStore, store: MeshStore, tokens: ProxyTokens, signals: ChangeSignals, proxyRetention: Duration,
        listenerTTL: Duration?, logger: Logger
    ) {
        self.api = api
        self.store = store
        self.proxyRetention = proxyRetention
        self.listenerTTL = listenerTTL
        self.signals = signals
        self.logger = logger
        feeds = FeedReader(store: store, logger: logger)
        let mirror = feeds.mirror
        control = ControlPlane(store: api, feeds: feeds, logger: logger)
        admission = ProxyAdmission(tokens: tokens, life: { mirror.life(of: $0) })
        loads = LoadMeter(mesh: { ProxyView($0)?.mesh })
        let configurations = MeshConfigurations(listenerTTL: listenerTTL)
        snapshots = SnapshotStore(source: configurations)
        publisher = ConfigPublisher(
            mirror: mirror, store: snapshots, configurations: configurations, logger: logger)
    }

    /// What proxies were sent.
    var configs: ProxyConfigs {
        ProxyConfigs(control: control, snapshots: snapshots, listenerTTL: listenerTTL)
    }

    var ads: ADSService {
        var names = NameLimits()
        (names.names, names.namesLimit) = (Limits.namesPerStream.value, Limits.namesPerStream.name)
        (names.nameBytes, names.nameBytesLimit) = (Limits.nameBytesPerStream.value, Limits.nameBytesPerStream.name)
        return ADSService(
            delegate: admission, store: snapshots, registry: registry, places: places, names: names, logger: logger)
    }

    /// The services that nobody connects to.
    func background(replica: String) -> [any Service] {
        // Before the first signal, which may come as soon as the first of the services runs.
        let followed = signals.subscribe { [feeds] in feeds.isConcerned(by: $0) }
        let kept = signals.subscribe { if case .changed = $0 { true } else { false } }
        let released = signals.subscribe { $0 == .release }
        let reporter = ProxyReporter(
            store: store, registry: registry, publisher: publisher, releases: releases, replica: replica,
            logger: logger)
        let engine = ControlPlane(store: store, feeds: feeds, logger: logger)
        let queue = StoredReleaseQueue(control: engine, signal: releases)
        let driver = ReleaseDriver(queue: queue, owner: replica, logger: logger)
        let keeper = ConditionKeeper(store: store, mirror: feeds.mirror, replica: replica, logger: logger)
        return [
            Background("signals", logger) { try await signals.run() },
            Background("feeds", logger) { try await feeds.run(signals: followed) },
            Background("publisher", logger) { try await publisher.run() },
            Background("conditions", logger) { try await keeper.run(signals: kept) },
            Background("reporter", logger) { try await reporter.run() },
            Background("release signals", logger) { for await _ in released { releases.notify() } },
            Background("releases", logger) { try await driver.run() },
            Background("compaction", logger) { try await compact() },
            Background("references", logger) { try await mendReferences() },
            Background("proxy retention", logger) { try await forgetProxies() },
            Background("signing keys", logger) { try await followKeys() },
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

    /// Looks for signing keys that were added or removed, several times before a new one signs.
    private func followKeys() async throws {
        while true {
            try await Task.sleep(for: MeshStore.signingKeyDelay / 4)
            do {
                if let tokens = ProxyTokens(try await store.signingKeys()) { admission.use(tokens) }
            } catch {
                // Those that are known go on being good.
                logger.warning("signing keys not read", metadata: ["error": "\(error)"])
            }
        }
    }

    /// Forgets proxies that have been away for long, a bounded number at a time.
    private func forgetProxies() async throws {
        let limit = 1_000
        while true {
            var forgotten = 0
            do {
                forgotten = try await store.forgetProxies(awayFor: proxyRetention, atMost: limit)
            } catch {
                logger.warning("proxies not forgotten", metadata: ["error": "\(error)"])
            }
            // More are left: soon, but not at once, so that others get to the database.
            try await Task.sleep(for: forgotten == limit ? .seconds(1) : min(proxyRetention / 10, .seconds(600)))
        }
    }
}
