internal import MeshCore
internal import MeshModel
internal import MeshStore

/// A feed that somebody follows: how far it has been read, and for whom.
struct FollowedFeed {
    /// The position and readers for which a page is read. It is taken only if all of this is still so.
    struct Reading: Equatable {
        /// The revision behind which the page begins.
        var after: Revision
        /// Which of the meshes that had this name; `nil`: whichever is there.
        var life: MeshLife?
        var isMirrored: Bool
        var isWatched: Bool
    }

    /// The revision that all who follow have been handed, or told to look for.
    private(set) var revision: Revision
    /// The state as of ``revision``, for feeds of meshes that somebody wants to see.
    var mirrored: MirroredMesh?
    private(set) var inboxes: [ObjectIdentifier: WatchInbox] = [:]

    init(readTo revision: Revision) { self.revision = revision }

    var isFollowed: Bool { mirrored != nil || !inboxes.isEmpty }

    var reading: Reading {
        Reading(
            after: revision, life: mirrored?.state.life, isMirrored: mirrored != nil, isWatched: !inboxes.isEmpty)
    }

    mutating func add(_ inbox: WatchInbox) { inboxes[ObjectIdentifier(inbox)] = inbox }

    mutating func remove(_ inbox: WatchInbox) { inboxes[ObjectIdentifier(inbox)] = nil }

    /// Keeps the state of the mesh from now on. If that is of another revision than the feed has been read to, watches may lack
    /// what is between.
    mutating func mirror(_ state: MeshState) {
        mirrored = MirroredMesh(state)
        if state.revision != revision { haveWatchesLook(upTo: state.revision) }
    }

    private mutating func haveWatchesLook(upTo revision: Revision) {
        self.revision = revision
        for inbox in inboxes.values { inbox.put(nil) }
    }
}

/// Changes that a read leads to. Each does nothing and is `false` if the feed has been read further meanwhile, or is read for somebody
/// else too.
extension FollowedFeed {
    mutating func take(_ page: Page, for reading: Reading) -> Bool {
        guard reading == self.reading else { return false }
        revision = page.revision
        mirrored?.apply(page.inputs, deleted: page.deleted, reaching: page.revision)
        for inbox in inboxes.values { inbox.put(page.told) }
        return true
    }

    /// The state is another one altogether.
    mutating func replace(by state: MeshState, for reading: Reading) -> Bool {
        guard reading == self.reading else { return false }
        mirrored?.replace(by: state)
        haveWatchesLook(upTo: state.revision)
        return true
    }

    /// Skips what cannot be read.
    mutating func goOn(at revision: Revision, for reading: Reading) -> Bool {
        guard reading == self.reading else { return false }
        haveWatchesLook(upTo: revision)
        return true
    }
}

extension FollowedFeed {
    /// A page of the feed, as those need it for whom it was read.
    struct Page {
        var revision: Revision
        var isComplete: Bool
        /// The changes that the mirror takes in, and those that it forgets.
        var inputs: [ObjectInput] = []
        var deleted: [ObjectKey] = []
        /// The page that watches are told of; `nil`: nobody watched.
        var told: FeedPage?

        /// A page of what is not mirrored.
        init(_ page: FeedPage) {
            revision = page.revision
            isComplete = page.isComplete
            told = page
        }

        init(_ changes: MeshChanges, _ inputs: [ObjectInput], isWatched: Bool) {
            revision = changes.revision
            isComplete = changes.isComplete
            self.inputs = inputs
            deleted = changes.deleted
            told = isWatched ? changes.page : nil
        }
    }
}

extension Feed {
    /// The objects of a mesh.
    init(_ mesh: MeshKey) { self = .objects(tenant: mesh.tenant, mesh: mesh.mesh) }

    /// The mesh whose objects these are.
    var mesh: MeshKey? {
        guard case .objects(let tenant, let mesh?) = self else { return nil }
        return MeshKey(tenant: tenant, mesh: mesh)
    }

    var isOfProxies: Bool {
        switch self {
        case .objects: false
        case .proxies: true
        }
    }
}
