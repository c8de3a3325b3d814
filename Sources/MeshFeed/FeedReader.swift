package import Logging
package import MeshCore
package import MeshStore
internal import Synchronization

/// The one reader of change feeds in a replica: reads what is new in a feed once, and hands it to all who follow the feed: the
/// mirror, which keeps the states of meshes (``MeshMirror``), and watches of lists (``WatchInbox``).
///
/// A signal (or, if it got lost, a timer, or a request that must see what was written) only says that there may be something
/// new; what it is always comes from the database, from where the feed has been read to. So a lost signal costs time and
/// nothing else. A watch that is further behind reads for itself what it lacks.
package final class FeedReader: Sendable {
    let feeds = Mutex<[Feed: FollowedFeed]>([:])
    let store: MeshStore
    let logger: Logger

    /// Yields when ``MeshMirror/takeUpdates()`` has something; one element stands for any number of updates.
    let updates: AsyncStream<Void>
    private let update: AsyncStream<Void>.Continuation
    /// Yields when somebody begins to watch proxies.
    let proxyWatches: AsyncStream<Void>
    private let proxyWatch: AsyncStream<Void>.Continuation

    package init(store: MeshStore, logger: Logger) {
        self.store = store
        self.logger = logger
        (updates, update) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
        (proxyWatches, proxyWatch) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
    }

    /// The meshes whose states are kept.
    package var mirror: MeshMirror { MeshMirror(reader: self) }

    /// Hands a watch what is new in its feed from now on.
    ///
    /// - Parameter revision: one that the feed has reached.
    package func add(_ inbox: WatchInbox, to feed: Feed, at revision: Revision) {
        feeds.withLock { $0[feed, default: FollowedFeed(readTo: revision)].add(inbox) }
        if feed.isOfProxies { proxyWatch.yield() }
    }

    package func remove(_ inbox: WatchInbox, from feed: Feed) {
        feeds.withLock { feeds in
            feeds[feed]?.remove(inbox)
            if feeds[feed]?.isFollowed == false { feeds[feed] = nil }
        }
    }

    /// Changes what is known of a feed, and wakes up those who are handed something by it. They are handed it under the lock: so
    /// pages come in order, and nobody is told of conditions before the page that began to be read before.
    ///
    /// - Parameter body: whether it changed anything; so does this.
    func change(_ feed: Feed, _ body: (inout FollowedFeed?) -> Bool) -> Bool {
        let (isChanged, inboxes, isAwaited) = feeds.withLock { feeds in
            (body(&feeds[feed]), feeds[feed]?.inboxes ?? [:], feeds[feed]?.mirrored?.isFollowed ?? false)
        }
        guard isChanged else { return false }
        for inbox in inboxes.values { inbox.wake() }
        if isAwaited { update.yield() }
        return true
    }

    /// The tenant is gone, or the mesh.
    func end(_ feed: Feed) {
        for inbox in feeds.withLock({ $0.removeValue(forKey: feed)?.inboxes ?? [:] }).values { inbox.end() }
    }
}
