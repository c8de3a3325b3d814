internal import Logging
internal import MeshCore
internal import MeshModel
internal import MeshStore
internal import Synchronization

extension FeedReader {
    /// How many changes are read at a time, and the rest of the last one's revision.
    private static let pageSize = 1000

    /// Reads what is new in a feed, and hands it to everybody who follows it; does nothing if nobody does.
    ///
    /// No lock is held while the database is read. Two reads may overlap: the page that comes second does not begin where the
    /// feed has been read to by then, so it is read again from there.
    ///
    /// - Parameter revision: what is enough; by default all that there is.
    /// - Throws: ``StoreError``; ``StoreError/notFound`` if the feed is gone, and then nobody follows it any more.
    func read(_ feed: Feed, until revision: Revision = .max) async throws {
        do {
            while let reading = feeds.withLock({ $0[feed]?.reading }) {
                if try await readPage(of: feed, reading, until: revision) { return }
            }
        } catch StoreError.notFound {
            end(feed)
            throw StoreError.notFound
        }
    }

    /// - Returns: whether that is all, or enough.
    private func readPage(
        of feed: Feed, _ reading: FollowedFeed.Reading, until revision: Revision
    ) async throws -> Bool {
        do {
            let page = try await page(of: feed, reading)
            guard page.revision > reading.after else { return true }
            let isTaken = change(feed) { $0?.take(page, for: reading) ?? false }
            return isTaken && (page.isComplete || page.revision >= revision)
        } catch StoreError.outOfFeed {
            return try await beginAnew(feed, reading)
        }
    }

    private func page(of feed: Feed, _ reading: FollowedFeed.Reading) async throws -> FollowedFeed.Page {
        guard let mesh = feed.mesh, reading.isMirrored else {
            return FollowedFeed.Page(try await store.feedPage(feed, after: reading.after, limit: Self.pageSize))
        }
        let changes = try await store.changes(
            mesh, of: reading.life, after: reading.after, limit: Self.pageSize, withConditions: reading.isWatched)
        guard !changes.compacted else { throw StoreError.outOfFeed }
        let inputs = changes.changed.inputs(for: mesh)
        report(inputs)
        return FollowedFeed.Page(changes, inputs, isWatched: reading.isWatched)
    }

    /// Goes on in a feed that does not hold what comes next, or is another one's of the same name: a mesh is loaded, and watches
    /// find out for themselves what they lack.
    ///
    /// - Returns: `false` if somebody has been quicker.
    private func beginAnew(_ feed: Feed, _ reading: FollowedFeed.Reading) async throws -> Bool {
        if reading.isMirrored, let mesh = feed.mesh {
            let state = try await load(mesh)
            return change(feed) { $0?.replace(by: state, for: reading) ?? false }
        }
        let newest = try await store.revision(of: feed)
        return change(feed) { $0?.goOn(at: newest, for: reading) ?? false }
    }

    /// Keeps the state of a mesh from now on, from what the database has.
    ///
    /// What was written since then nobody told us, for only signals of followed feeds are heeded. So read the feed next.
    ///
    /// - Throws: ``StoreError/notFound`` if there is no such mesh.
    func startMirroring(_ mesh: MeshKey) async throws {
        let state = try await load(mesh)
        _ = change(Feed(mesh)) { followed in
            if followed?.mirrored != nil { return false }
            followed = followed ?? FollowedFeed(readTo: state.revision)
            followed?.mirror(state)
            return true
        }
    }

    private func load(_ mesh: MeshKey) async throws -> MeshState {
        let stored = try await store.loadMesh(mesh)
        var state = MeshState(mesh: mesh, revision: stored.revision)
        state.life = stored.life
        let inputs = (stored.clusters + stored.objects).inputs(for: mesh)
        report(inputs)
        _ = state.apply(inputs)
        return state
    }

    private func report(_ inputs: [ObjectInput]) {
        for input in inputs where !input.isReadable {
            logger.error(
                "a stored object cannot be read; what it was before stays", metadata: ["object": "\(input.key)"])
        }
    }
}
