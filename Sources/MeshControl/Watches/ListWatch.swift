package import MeshCore
internal import MeshFeed
internal import MeshModel
package import MeshStore

/// A list that somebody watches. The watch ends with its last reference.
package final class ListWatch: Sendable {
    package let list: WatchedList
    /// The revision at which it begins: what the reader has, or (`nil`) nothing at all.
    let resumed: Revision?
    /// The feed's revision at that moment.
    let newest: Revision
    /// The changes of conditions that the reader has.
    let conditions: ConditionCursor
    let inbox: WatchInbox
    let store: MeshStore
    private let feeds: FeedReader

    init(
        _ list: WatchedList, resuming resumed: Revision?, newest: Revision, conditions: ConditionCursor,
        inbox: WatchInbox, store: MeshStore, feeds: FeedReader
    ) {
        self.list = list
        self.resumed = resumed
        self.newest = newest
        self.conditions = conditions
        self.inbox = inbox
        self.store = store
        self.feeds = feeds
        feeds.add(inbox, to: list.feed, at: newest)
    }

    deinit { feeds.remove(inbox, from: list.feed) }

    /// Yields when there may be something new, or somebody rang; for one consumer. Ends when the watch does.
    package var wakeups: AsyncStream<Void> { inbox.wakeups }

    package func wake() { inbox.wake() }

    /// Ends ``wakeups``.
    package func end() { inbox.end() }

    /// Reads what the watch shows, from its beginning.
    package var reader: WatchReader { WatchReader(self) }
}

/// A place in a watched list.
package struct WatchReader {
    private static let page = 200

    private let watch: ListWatch
    /// The revision up to which the reader has read: the present state up to ``ListWatch/newest``, the feed after that.
    package private(set) var revision: Revision
    private var isPresent: Bool
    private var mustRead = true
    /// The changes of conditions that the reader has, and whether there may be another one.
    private var conditions: ConditionCursor
    private var mustReadConditions = true

    fileprivate init(_ watch: ListWatch) {
        self.watch = watch
        revision = watch.resumed ?? 0
        isPresent = watch.resumed == nil
        conditions = watch.conditions
    }

    /// Reads the next entries, in the order of revisions: first the present state, or the changes since the watch's
    /// revision; then new changes. Never a part of a revision. Of several changes of one object meanwhile, only the
    /// last one is told.
    ///
    /// - Returns: `nil` if that is all for now: ``ListWatch/wakeups`` tells when to ask again.
    /// - Throws: ``StoreError``; ``StoreError/outOfFeed`` if the reader was too slow for too long.
    package mutating func next() async throws(StoreError) -> [FeedEntry]? {
        while isPresent {
            let page = try await watch.store.present(
                watch.list, after: revision, upTo: watch.newest, limit: Self.page)
            isPresent = !page.isComplete
            revision = page.revision
            if !page.entries.isEmpty { return page.entries }
        }
        while let page = try await feedPage() {
            let entries = page.entries.compactMap { entry -> FeedEntry? in
                guard entry.revision > revision, let item = watch.list.item(entry.item) else { return nil }
                return FeedEntry(revision: entry.revision, item: item)
            }
            revision = page.revision
            if !entries.isEmpty { return entries }
        }
        return try await conditionEntries()
    }

    /// Objects of which nothing but the conditions changed. After a break all that may have: their changes have no ids by which
    /// a client could say what it has.
    private mutating func conditionEntries() async throws(StoreError) -> [FeedEntry]? {
        guard case .objects(let query, _) = watch.list else { return nil }
        while mustReadConditions {
            let page = try await watch.store.conditionChanges(of: query, after: conditions, limit: Self.page)
            mustReadConditions = !page.isComplete
            conditions = page.reached
            let entries = page.objects.compactMap { object -> FeedEntry? in
                // What is newer than the feed's last page, or does not have the list's labels, another page tells.
                guard object.revision <= revision, case .object? = watch.list.item(.object(object)) else { return nil }
                var entry = FeedEntry(revision: revision, item: .object(object))
                entry.isOfConditions = true
                return entry
            }
            if !entries.isEmpty { return entries }
        }
        return nil
    }

    /// A page that brings the reader further: the one that all were handed, if nothing is missing before it.
    private mutating func feedPage() async throws(StoreError) -> FeedPage? {
        let (shared, isTold, isToldOfConditions) = watch.inbox.take()
        if isTold { mustRead = true }
        if isToldOfConditions { mustReadConditions = true }
        if let shared, shared.revision > revision {
            if !mustRead, shared.after <= revision { return shared }
            mustRead = true
        }
        guard mustRead else { return nil }
        let page = try await watch.store.feedPage(watch.list.feed, after: revision, limit: Self.page)
        mustRead = !page.isComplete
        return page.revision > revision ? page : nil
    }
}
