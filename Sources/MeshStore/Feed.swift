package import MeshCore
package import MeshModel
internal import Postgres

/// A thing with numbered changes that can be followed.
package enum Feed: Hashable, Sendable {
    /// The objects of a mesh; without one, what the tenant has outside of its meshes, such as clusters.
    case objects(tenant: Name, mesh: Name?)
    /// The proxies of a mesh, whose revisions have nothing to do with the mesh's.
    case proxies(MeshKey)
}

/// Something in a feed, as it is now.
package enum FeedItem: Hashable, Sendable {
    case object(StoredObject)
    case deletedObject(ObjectKey)
    case proxy(ProxyRow)
    case forgottenProxy(NamespacedName)
}

/// An item and the revision at which it became so.
package struct FeedEntry: Hashable, Sendable {
    package var revision: Revision
    package var item: FeedItem
    /// Whether only the object's conditions changed: that has no revision, and this one is what the feed has reached.
    package var isOfConditions = false

    package init(revision: Revision, item: FeedItem) {
        self.revision = revision
        self.item = item
    }
}

/// A piece of a feed.
package struct FeedPage: Sendable {
    /// The revision that a reader must have whom this brings further.
    package var after: Revision
    /// The revision that a reader has who takes this in.
    package var revision: Revision
    /// In the order of their revisions; of what changed several times only the last one is sure to be here.
    package var entries: [FeedEntry]
    /// Whether there was nothing more.
    package var isComplete: Bool
}

/// A list that can be watched.
package enum WatchedList: Sendable {
    /// The query's page is not looked at.
    case objects(ListQuery, of: Name)
    /// - Parameter namespace: the only one whose proxies are listed.
    case proxies(MeshKey, namespace: Name?)

    package var feed: Feed {
        switch self {
        case .objects(let query, let tenant): .objects(tenant: tenant, mesh: query.mesh)
        case .proxies(let mesh, _): .proxies(mesh)
        }
    }

    /// The meaning of an item of the feed for the list: an object that no longer has the labels is as good as deleted.
    ///
    /// - Returns: `nil` if it is not of this list.
    package func item(_ item: FeedItem) -> FeedItem? {
        switch (self, item) {
        case (.objects(let query, _), .object(let object)):
            guard query.isPlace(of: object.key) else { return nil }
            return query.labels.allSatisfy { object.metadata.labels[$0.name] == $0.value }
                ? item : .deletedObject(object.key)
        case (.objects(let query, _), .deletedObject(let key)):
            return query.isPlace(of: key) ? item : nil
        case (.proxies(_, let namespace), .proxy(let proxy)):
            return (namespace ?? proxy.name.namespace) == proxy.name.namespace ? item : nil
        case (.proxies(_, let namespace), .forgottenProxy(let name)):
            return (namespace ?? name.namespace) == name.namespace ? item : nil
        case (.objects, .proxy), (.objects, .forgottenProxy), (.proxies, .object), (.proxies, .deletedObject):
            return nil
        }
    }
}

extension ListQuery {
    /// Whether an object of the feed stands where the list is of.
    fileprivate func isPlace(of key: ObjectKey) -> Bool {
        key.kind == kind && (namespace == nil || key.namespace == namespace)
            && (service == nil || key.service == service)
    }
}

extension MeshStore {
    /// The revision that a feed has.
    ///
    /// - Parameter resuming: what a reader has already.
    /// - Throws: ``StoreError/notFound`` if there is no such feed; ``StoreError/outOfFeed`` if it does not hold everything
    ///   after what the reader has.
    package func revision(of feed: Feed, resuming after: Revision? = nil) async throws(StoreError) -> Revision {
        let state: (newest: Revision, compacted: Revision)
        switch feed {
        case .objects(let tenant, let mesh): state = try await objectFeed(of: tenant, mesh)
        case .proxies(let mesh): state = try await proxyFeed(of: mesh)
        }
        if let after, after < state.compacted || after > state.newest { throw .outOfFeed }
        return state.newest
    }

    /// The changes after a revision: whole revisions, as many as it takes for at least `limit` changes.
    ///
    /// - Throws: as ``revision(of:resuming:)``.
    package func feedPage(_ feed: Feed, after: Revision, limit: Int) async throws(StoreError) -> FeedPage {
        switch feed {
        case .objects(let tenant, let mesh):
            return try await objectPage(of: tenant, mesh, after: after, limit: limit)
        case .proxies(let mesh): return try await proxyPage(of: mesh, after: after, limit: limit)
        }
    }

    /// The objects in a list, by the revisions at which it was written: after one, up to another that the feed has reached, as
    /// many as `limit` and the rest of the last one's revision, or fewer if they are large (``Limits/feedPageBytes``). What is written meanwhile is missing; it is in the feed.
    package func present(
        _ list: WatchedList, after: Revision, upTo: Revision, limit: Int
    ) async throws(StoreError) -> FeedPage {
        switch list {
        case .objects(let query, let tenant):
            let rows = try await rows(
                ObjectRow.select(query, after: after, upTo: upTo, limit: limit), seeing: .tenant(tenant))
            let found = try rows.first { row throws(PostgresError) -> Int64 in try row["found"] } ?? 0
            let objects = try rows.all(ObjectRow.decodeWithConditions)
            let isComplete = objects.count < limit && objects.count == found
            return FeedPage(
                after: after, revision: isComplete ? upTo : objects.last?.revision ?? upTo,
                entries: objects.map { FeedEntry(revision: $0.revision, item: .object($0)) }, isComplete: isComplete)
        case .proxies(let mesh, _):
            var page = try await proxyPage(of: mesh, after: after, upTo: upTo, limit: limit)
            page.entries = page.entries.compactMap { entry in
                guard case .proxy = entry.item, let item = list.item(entry.item) else { return nil }
                return FeedEntry(revision: entry.revision, item: item)
            }
            return page
        }
    }
}
