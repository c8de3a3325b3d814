package import Logging
internal import MeshCore
package import MeshStore
internal import Synchronization

/// Reads the feeds that somebody watches, once for all who do, and hands them what is new.
///
/// A signal (or, if it got lost, a timer) only says that there may be something new; what it is always comes from the
/// database, whichever replica wrote it.
package final class FeedFollower: Sendable {
    private struct Entry {
        /// What the watches were told last; `nil`: nothing yet.
        var revision: Revision?
        var inboxes: [ObjectIdentifier: WatchInbox] = [:]
    }

    private static let page = 1000

    private let store: MeshStore
    private let logger: Logger
    private let entries = Mutex<[Feed: Entry]>([:])

    /// Yields when somebody begins to watch proxies.
    private let proxyWatches: AsyncStream<Void>
    private let proxyWatch: AsyncStream<Void>.Continuation

    package init(store: MeshStore, logger: Logger) {
        self.store = store
        self.logger = logger
        (proxyWatches, proxyWatch) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
    }

    package func add(_ inbox: WatchInbox, to feed: Feed) {
        entries.withLock { $0[feed, default: Entry()].inboxes[ObjectIdentifier(inbox)] = inbox }
        if feed.isOfProxies { proxyWatch.yield() }
    }

    package func remove(_ inbox: WatchInbox, from feed: Feed) {
        entries.withLock { entries in
            entries[feed]?.inboxes[ObjectIdentifier(inbox)] = nil
            if entries[feed]?.inboxes.isEmpty == true { entries[feed] = nil }
        }
    }

    /// Follows until the task is cancelled.
    ///
    /// - Parameters:
    ///   - signals: what the database says; see ``ChangeSignals``.
    ///   - interval: how often to look without being told, for the case that a signal was lost.
    ///   - proxyInterval: how often to look for changes of proxies while somebody watches them. Nothing signals them: their rows
    ///     are written far more often than anybody does.
    package func run(
        signals: AsyncStream<ChangeSignals.Signal>, interval: Duration = .seconds(10),
        proxyInterval: Duration = .milliseconds(250)
    ) async throws {
        // One reader for both reasons to look, so that pages come in order.
        let looks = SignalQueue()
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                for await signal in signals { looks.put(signal) }
            }
            group.addTask {
                while true {
                    try await Task.sleep(for: interval)
                    looks.put(.anything)
                }
            }
            group.addTask {
                for await signal in looks.signals {
                    if case .conditions = signal {
                        self.tellOfConditions(signal)
                        continue
                    }
                    for feed in self.feeds(concerning: signal) { await self.read(feed) }
                    // They may have been changed without that we heard of it.
                    if signal == .anything { self.tellOfConditions(signal) }
                }
            }
            group.addTask {
                for await _ in self.proxyWatches {
                    while true {
                        try await Task.sleep(for: proxyInterval)
                        let feeds = self.watched.filter(\.isOfProxies)
                        for feed in feeds { await self.read(feed) }
                        if feeds.isEmpty { break }
                    }
                }
            }
            try await group.waitForAll()
        }
    }

    /// Whether somebody watches what the signal is about.
    package func isConcerned(by signal: ChangeSignals.Signal) -> Bool { !feeds(concerning: signal).isEmpty }

    private var watched: [Feed] { entries.withLock { Array($0.keys) } }

    private func feeds(concerning signal: ChangeSignals.Signal) -> [Feed] {
        switch signal {
        case .anything: watched.filter { !$0.isOfProxies }
        case .changed(let mesh), .conditions(let mesh): watched.filter { $0.isConcerned(by: mesh) }
        case .release: []
        }
    }

    /// Conditions are no part of a feed: each watch reads those of its own list, when they have changed at all.
    private func tellOfConditions(_ signal: ChangeSignals.Signal) {
        let feeds = feeds(concerning: signal)
        let inboxes = entries.withLock { entries in feeds.flatMap { entries[$0].map { Array($0.inboxes.values) } ?? [] }
        }
        for inbox in inboxes { inbox.tellOfConditions() }
    }

    /// Hands on what is new in a feed.
    private func read(_ feed: Feed) async {
        do {
            while true {
                guard let known = entries.withLock({ $0[feed] }) else { return }
                guard let revision = known.revision else {
                    let newest = try await store.revision(of: feed)
                    deliver(nil, reaching: newest, of: feed)
                    return
                }
                let page = try await store.feedPage(feed, after: revision, limit: Self.page)
                if page.revision > revision { deliver(page, reaching: page.revision, of: feed) }
                if page.isComplete { return }
            }
        } catch StoreError.notFound {
            // The tenant is gone.
            for inbox in entries.withLock({ $0.removeValue(forKey: feed) })?.inboxes.values ?? [:].values {
                inbox.end()
            }
        } catch StoreError.outOfFeed {
            // The watches that need what is lost find it out themselves.
            deliver(nil, reaching: nil, of: feed)
        } catch {
            logger.warning("cannot follow a feed", metadata: ["feed": "\(feed)", "error": "\(error)"])
        }
    }

    /// - Parameter page: `nil`: every watch is to look for itself.
    private func deliver(_ page: FeedPage?, reaching revision: Revision?, of feed: Feed) {
        let inboxes = entries.withLock { entries in
            entries[feed]?.revision = revision
            return entries[feed].map { Array($0.inboxes.values) } ?? []
        }
        for inbox in inboxes { inbox.put(page) }
    }
}

extension Feed {
    /// A write outside of the meshes signals the tenant's meshes.
    fileprivate func isConcerned(by changed: MeshKey) -> Bool {
        switch self {
        case .objects(let tenant, let mesh): tenant == changed.tenant && (mesh ?? changed.mesh) == changed.mesh
        case .proxies: false
        }
    }

    fileprivate var isOfProxies: Bool {
        switch self {
        case .objects: false
        case .proxies: true
        }
    }
}
