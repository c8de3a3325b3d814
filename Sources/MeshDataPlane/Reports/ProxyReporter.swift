internal import Foundation
internal import Logging
internal import MeshCore
internal import MeshModel
internal import MeshStore
internal import Synchronization
internal import XDSServer

/// Writes what this replica knows of its proxies to the database, so that every replica can say how many of a mesh's
/// proxies have a revision, and wakes the releases that may have waited for it.
struct ProxyReporter: Sendable {
    let store: MeshStore
    let registry: ProxyRegistry
    let meshes: MeshPublishers
    /// Is called when a release may have become due by it.
    let wakeReleases: @Sendable () -> Void
    /// This replica's name.
    let replica: String
    let logger: Logger

    /// Short, because that a replica outlived a stream by ``MeshStore/returnTime`` is known by it.
    private static let heartbeat = Duration.seconds(2)
    private static let retry = Duration.seconds(1)

    /// A proxy that is connected, with what its reports do not say.
    private struct Known {
        var name: ProxyName
        var since: Timestamp
        var id: ViewID
        var view: ProxyView?
    }

    /// Proxies that another replica has a stream of, from another address.
    private final class Contest: Sendable {
        private struct State {
            var waiting: [String: ProxyReport] = [:]
            /// The proxies of which the log has spoken.
            var known: Set<String> = []
        }

        private let state = Mutex(State())

        /// Notes what became of some reports.
        ///
        /// - Returns: those that are contested and were not before.
        func note(_ reports: [ProxyReport], contested: Set<String>) -> [ProxyReport] {
            state.withLock { state in
                if contested.isEmpty && state.known.isEmpty { return [] }
                for report in reports {
                    state.waiting[report.proxy] = contested.contains(report.proxy) ? report : nil
                }
                let new = reports.filter { contested.contains($0.proxy) && !state.known.contains($0.proxy) }
                state.known = state.known.subtracting(reports.map(\.proxy)).union(contested)
                return new
            }
        }

        func take() -> [ProxyReport] {
            state.withLock { state in
                defer { state.waiting = [:] }
                return Array(state.waiting.values)
            }
        }
    }

    /// Reports until the task is cancelled.
    func run() async throws {
        let contest = Contest()
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await self.beat(contest) }
            group.addTask { try await self.report(contest) }
            try await group.waitForAll()
        }
    }

    /// Proxies of a replica that does not beat count as away. It begins with the xDS port, within a fraction of a second.
    private func beat(_ contest: Contest) async throws {
        while true {
            let contested = contest.take()
            if !contested.isEmpty { registry.restore(contested) }
            do {
                try await store.heartbeat(replica)
            } catch {
                logger.warning("no heartbeat", metadata: ["error": "\(error)"])
            }
            try await Task.sleep(for: Self.heartbeat)
        }
    }

    private func report(_ contest: Contest) async throws {
        var known: [String: Known] = [:]
        var nacks = NackTrace(meshes: meshes)
        var statuses = Statuses()
        var pause = DutyCycle.proxyRows.pause(after: .zero)
        for await _ in registry.changes {
            try await Task.sleep(for: pause)
            let reports = registry.takeChanged()
            let start = ContinuousClock.now
            do {
                var rows: [ProxyRow] = []
                for report in reports {
                    if let row = await row(report, &known, &nacks, &statuses) { rows.append(row) }
                }
                let outcome = try await store.report(rows)
                if outcome.wokeReleases { wakeReleases() }
                note(outcome, of: reports, contest)
                pause = DutyCycle.proxyRows.pause(after: .now - start)
            } catch {
                logger.warning("proxies not reported", metadata: ["count": "\(reports.count)", "error": "\(error)"])
                registry.restore(reports)
                try await Task.sleep(for: Self.retry)
            }
        }
    }

    private func note(_ outcome: ReportOutcome, of reports: [ProxyReport], _ contest: Contest) {
        let names = Set(outcome.contested.map { ProxyName(mesh: $0.mesh, name: $0.name).text })
        for report in contest.note(reports, contested: names) {
            logger.warning(
                "a proxy has streams from several addresses at different replicas, and counts for no release meanwhile",
                metadata: ["proxy": "\(report.proxy)", "peer": "\(report.peer)"])
        }
    }

    private func row(
        _ report: ProxyReport, _ known: inout [String: Known], _ nacks: inout NackTrace,
        _ statuses: inout Statuses
    ) async -> ProxyRow? {
        let now = Timestamp(microseconds: Int64(Date.now.timeIntervalSince1970 * 1e6))
        var proxy: Known
        if let old = known[report.proxy] {
            proxy = old
        } else {
            guard let name = ProxyName(report.proxy) else { return nil }
            proxy = Known(name: name, since: now, id: report.view, view: ProxyView(report.view))
        }
        if proxy.id != report.view { (proxy.id, proxy.view) = (report.view, ProxyView(report.view)) }
        known[report.proxy] = report.isConnected ? proxy : nil
        let rejections = await nacks.rejections(report, proxy.view, now)
        return ProxyRow(
            mesh: proxy.name.mesh, name: proxy.name.name, replica: replica, connected: report.isConnected,
            connectedAt: proxy.since,
            ackedRevision: report.ackedRevision, rejectedRevision: report.rejectedRevision,
            rejectedMessage: report.rejectedMessage, types: statuses.of(report.types, rejections),
            client: proxy.view?.client, meshUID: report.owner.flatMap(MeshLife.init)?.mesh,
            standing: ProxyStanding(report))
    }
}

/// Says how far a proxy is, type by type.
private struct Statuses {
    /// The last ones: of a push, most proxies say the same.
    private var last: (types: [TypeReport], statuses: [String: ProxyTypeStatus]) = ([], [:])

    mutating func of(
        _ types: [TypeReport], _ rejections: [ResourceType: [ProxyRejection]]
    ) -> [String: ProxyTypeStatus] {
        guard rejections.isEmpty else { return statuses(types, rejections) }
        if last.types != types { last = (types, statuses(types, [:])) }
        return last.statuses
    }

    private func statuses(
        _ types: [TypeReport], _ rejections: [ResourceType: [ProxyRejection]]
    ) -> [String: ProxyTypeStatus] {
        let statuses = types.map { type in
            let status = ProxyTypeStatus(
                state: ProxyTypeStatus.State(type.state), sentVersion: type.sentVersion,
                ackedVersion: type.ackedVersion, error: type.error, rejections: rejections[type.type] ?? [])
            return (type.type.abbreviation, status)
        }
        return Dictionary(uniqueKeysWithValues: statuses)
    }
}

extension ProxyTypeStatus.State {
    init(_ state: TypeReport.State) {
        self =
            switch state {
            case .synced: .synced
            case .stale: .stale
            case .rejected: .rejected
            }
    }
}
