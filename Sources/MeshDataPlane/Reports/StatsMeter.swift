internal import Analysis
internal import CoreMetrics
internal import Documents
internal import Logging
internal import MeshCompiler
internal import MeshCore
internal import MeshFeed
internal import MeshIdentity
internal import MeshModel
internal import MeshStore
internal import MeshTelemetry
internal import Prometheus
internal import Synchronization
internal import XDSServer

/// Reads the statistics that sidecars send, apart from the event loops, one message at a time: tells from their credentials whose
/// they are, leaves out what is about no destination of their mesh, and hands on the rest.
final class StatsMeter: StatsDelegate {
    private struct Message: Sendable {
        var bytes: [UInt8]
        var identity: CallIdentity
        var arrival: ContinuousClock.Instant
        var done: @Sendable (StatsStatus) -> Void
    }

    private struct Inbox {
        var messages: [Message] = []
        var bytes = 0
    }

    private let inbox = Mutex(Inbox())
    private let signals: AsyncStream<Void>
    private let signal: AsyncStream<Void>.Continuation
    private let mirror: MeshMirror
    private let recorder: TrafficRecorder
    private let loads: LoadMeter
    private let logger: Logger
    private let read: Counter
    private let refused: Counter

    private static let readMessages = Metric.counter(
        "sluice_telemetry_reports_total", "Reports of statistics that sidecars have sent, and that were read.")
    private static let refusedMessages = Metric.counter(
        "sluice_telemetry_refused_reports_total",
        "Reports of statistics that were refused, because they could not be read or too many waited.")

    init(
        mirror: MeshMirror, recorder: TrafficRecorder, loads: LoadMeter, metrics: any MetricsFactory, logger: Logger
    ) {
        self.mirror = mirror
        self.recorder = recorder
        self.loads = loads
        self.logger = logger
        read = Self.readMessages.makeCounter(in: metrics)
        refused = Self.refusedMessages.makeCounter(in: metrics)
        (signals, signal) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
    }

    func record(_ message: [UInt8], of identity: CallIdentity, done: @escaping @Sendable (StatsStatus) -> Void) {
        let isTaken = inbox.withLock { inbox in
            guard inbox.bytes + message.count <= Limits.waitingStatsBytes.value else { return false }
            inbox.bytes += message.count
            inbox.messages.append(Message(bytes: message, identity: identity, arrival: .now, done: done))
            return true
        }
        if isTaken {
            signal.yield()
        } else {
            refused.increment()
            done(.full("the server has too much to read: \(Limits.waitingStatsBytes.rule)"))
        }
    }

    /// Reads messages until the task is cancelled.
    func run() async throws {
        var meshes: [MeshKey: KnownMesh] = [:]
        for await _ in signals {
            let messages = inbox.withLock { inbox in
                defer { inbox = Inbox() }
                return inbox.messages
            }
            for message in messages { message.done(await take(message, &meshes)) }
            let now = ContinuousClock.now
            meshes = meshes.filter { $0.value.looked + KnownMesh.memory > now }
        }
        try Task.checkCancellation()
    }

    private func take(_ message: Message, _ meshes: inout [MeshKey: KnownMesh]) async -> StatsStatus {
        // Nothing else is proof of anything in this server.
        guard let claims = message.identity.proof as? ProxyClaims else { return .taken }
        let report: StatsReport
        do throws(StatsReport.Unreadable) {
            report = try StatsReport(message.bytes, identity: message.identity)
        } catch {
            refused.increment()
            return .unreadable(error.reason)
        }
        read.increment()
        guard let mesh = await known(claims.mesh, &meshes), let life = mesh.state.life,
            TokenOrigin(claims).standing(in: life) == .current
        else { return .taken }
        var counts: [TrafficReport.Destination: TrafficCounts] = [:]
        for (name, stats) in report.clusters {
            guard let cluster = mesh.cluster(name, sentTo: claims.namespace) else { continue }
            let counted = TrafficCounts(stats)
            let destination = TrafficReport.Destination(
                host: cluster.host.unambiguous, port: cluster.port, version: cluster.version)
            counts[destination, default: TrafficCounts()].merge(counted)
            let failed = counted.errors
            loads.record(
                ClusterLoad(succeeded: counted.requests - min(counted.requests, failed), failed: failed), of: cluster,
                in: claims.mesh, life.mesh)
        }
        let proxy = NamespacedName(namespace: claims.namespace, name: claims.proxy)
        let source = TrafficSource(
            service: NamespacedName(namespace: claims.namespace, name: claims.service), version: mesh.versions[proxy])
        recorder.add(
            TrafficReport(
                mesh: TrafficMesh(tenant: claims.mesh.tenant, uid: life.mesh), proxy: proxy, source: source,
                interval: report.interval, counts: counts), key: claims.mesh, arriving: message.arrival)
        return .taken
    }

    private func known(_ key: MeshKey, _ meshes: inout [MeshKey: KnownMesh]) async -> KnownMesh? {
        let now = ContinuousClock.now
        if let known = meshes[key], known.looked + KnownMesh.pause > now { return known }
        do {
            let state = try await mirror.state(of: key, atLeast: 0)
            if var known = meshes[key], known.state.revision == state.revision, known.state.life == state.life {
                known.looked = now
                meshes[key] = known
                return known
            }
            let known = KnownMesh(state, looked: now)
            meshes[key] = known
            return known
        } catch {
            // What was known goes on being good enough.
            logger.debug("mesh not read", metadata: ["mesh": "\(key)", "error": "\(error)"])
            return meshes[key]
        }
    }
}

/// A mesh with what it takes to understand sidecars' statistics.
struct KnownMesh {
    /// How long it is gone by before it is looked at again.
    static let pause = Duration.seconds(5)
    /// How long it is kept although nobody reports.
    static let memory = Duration.seconds(60)

    let state: MeshState
    var looked: ContinuousClock.Instant
    /// The versions that sidecars stand before, where endpoints say so.
    let versions: [NamespacedName: Name]
    /// The hosts that are no services', with who sees them besides the namespace that defines them.
    private let externals: [Host: [DefinedHost.Export]]

    init(_ state: MeshState, looked: ContinuousClock.Instant) {
        self.state = state
        self.looked = looked
        var versions: [NamespacedName: Name] = [:]
        for (service, endpoints) in state.endpoints {
            for endpoint in endpoints.values {
                guard let proxy = endpoint.spec.sidecar?.proxy, let version = endpoint.spec.version else { continue }
                versions[NamespacedName(namespace: service.namespace, name: proxy)] = version
            }
        }
        self.versions = versions
        var externals: [Host: [DefinedHost.Export]] = [:]
        for name in state.names(of: .serviceEntry) {
            for host in state.definitions(by: name, .serviceEntry) {
                externals[.external(host.text, of: name.namespace), default: []].append(host.export)
            }
        }
        self.externals = externals
    }

    /// The destination that a cluster is named after; `nil`: the mesh has none like it, or sidecars of the namespace are not sent it.
    ///
    /// Clusters of services are sent to everybody, so a namespace is all that it takes to know what a sidecar is sent.
    func cluster(_ name: String, sentTo namespace: Name) -> IR.ClusterName? {
        guard let cluster = IR.ClusterName(name) else { return nil }
        switch cluster.host {
        case .service(let service):
            guard let service = state.services[service]?.spec,
                service.ports.contains(where: { $0.number == cluster.port })
            else { return nil }
            // Others would let a sidecar make up as many as it likes.
            guard cluster.version.map({ service.hasVersion($0) }) ?? true else { return nil }
            return cluster
        case .external(_, let owner):
            guard let exports = externals[cluster.host] else { return nil }
            return owner == namespace || exports.contains { $0.contains(namespace) } ? cluster : nil
        }
    }
}

extension TrafficCounts {
    init(_ stats: ClusterStats) {
        self.init()
        answers = CodeCounts(stats.answers)
        retried = CodeCounts(stats.retried)
        calls = CodeCounts(stats.calls)
        receivedBytes = stats.receivedBytes
        sentBytes = stats.sentBytes
        // A sidecar counts by the bounds that its bootstrap names; by others nothing can be added up.
        guard let times = stats.times, times.bounds == Self.bounds else { return }
        var sum = times.sum
        for (bucket, count) in times.counts.enumerated() where count > 0 {
            latency.add(count: count, inBucket: bucket, sum: sum)
            sum = 0
        }
    }

    private static let bounds = LatencyLadder.bounds.map(Double.init)
}
