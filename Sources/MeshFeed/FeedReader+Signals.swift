internal import Logging
internal import MeshCore
package import MeshStore
internal import Synchronization

extension FeedReader {
    /// Whether somebody follows what the signal is about. Quick: to be asked of every signal.
    package func isConcerned(by signal: ChangeSignals.Signal) -> Bool {
        switch signal {
        case .changed(let mesh), .conditions(let mesh):
            feeds.withLock { feeds in Feed.concerned(by: mesh).contains { feeds[$0] != nil } }
        case .anything: true
        case .release: false
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
        let pending = PendingSignals()
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                for await signal in signals { pending.put(signal) }
            }
            group.addTask {
                while true {
                    try await Task.sleep(for: interval)
                    self.forgetUnused()
                    pending.put(.anything)
                }
            }
            // One task for both reasons to look, so that watches are told of conditions behind the pages that came before.
            group.addTask {
                for await _ in pending.wakeups {
                    while !Task.isCancelled, let signal = pending.take() { await self.look(signal) }
                }
            }
            group.addTask {
                for await _ in self.proxyWatches {
                    while true {
                        try await Task.sleep(for: proxyInterval)
                        let feeds = self.followed.filter(\.isOfProxies)
                        for feed in feeds { await self.look(at: feed) }
                        if feeds.isEmpty { break }
                    }
                }
            }
            try await group.waitForAll()
        }
    }

    private var followed: [Feed] { feeds.withLock { Array($0.keys) } }

    private func forgetUnused() {
        let limit = ContinuousClock.now - MeshMirror.forgetAfter
        feeds.withLock { feeds in
            for (feed, followed) in feeds where followed.mirrored?.isUnused(since: limit) == true {
                feeds[feed]?.mirrored = nil
                if feeds[feed]?.isFollowed == false { feeds[feed] = nil }
            }
        }
    }

    private func look(_ signal: ChangeSignals.Signal) async {
        switch signal {
        case .changed(let mesh):
            for feed in Feed.concerned(by: mesh) { await look(at: feed) }
        case .conditions(let mesh): tellOfConditions(Feed(mesh))
        case .anything:
            let feeds = followed.filter { !$0.isOfProxies }
            for feed in feeds { await look(at: feed) }
            // They may have been changed without that we heard of it.
            for feed in feeds { tellOfConditions(feed) }
        case .release: break
        }
    }

    private func look(at feed: Feed) async {
        do {
            try await read(feed)
        } catch StoreError.notFound {
            // Whoever followed has been told.
        } catch {
            logger.warning("cannot follow a feed", metadata: ["feed": "\(feed)", "error": "\(error)"])
        }
    }

    /// Conditions are no part of a feed: each watch reads those of its own list, when they have changed at all.
    private func tellOfConditions(_ feed: Feed) {
        _ = change(feed) { followed in
            guard let followed, !followed.inboxes.isEmpty else { return false }
            for inbox in followed.inboxes.values { inbox.tellOfConditions() }
            return true
        }
    }
}

extension Feed {
    /// The feeds that a signal of a mesh is about: a write outside of the meshes signals the tenant's meshes.
    fileprivate static func concerned(by mesh: MeshKey) -> [Feed] {
        [Feed(mesh), .objects(tenant: mesh.tenant, mesh: nil)]
    }
}
