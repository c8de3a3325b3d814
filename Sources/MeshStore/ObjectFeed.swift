internal import MeshCore
internal import MeshModel
internal import Postgres

extension MeshStore {
    /// The newest revision, and the one after which the feed holds everything.
    func objectFeed(
        of tenant: Name, _ mesh: Name?
    ) async throws(StoreError) -> (newest: Revision, compacted: Revision) {
        let state = try await rows(
            "SELECT revision, compacted FROM mesh WHERE tenant = \(tenant.text) AND mesh = \(mesh?.text ?? "")",
            seeing: .tenant(tenant)
        ).first { row throws(PostgresError) -> (Revision, Revision) in (try row["revision"], try row["compacted"]) }
        guard let state else { throw .notFound }
        return state
    }

    func objectPage(
        of tenant: Name, _ mesh: Name?, after: Revision, limit: Int
    ) async throws(StoreError) -> FeedPage {
        let log = try await changeLog(of: tenant, mesh, after: after, limit: limit, withConditions: true)
        guard !log.isCompacted else { throw .outOfFeed }
        return log.page(after: after, isOfMesh: mesh != nil)
    }
}

extension ChangeLog {
    /// The changes as those who watch are told of them.
    func page(after: Revision, isOfMesh: Bool) -> FeedPage {
        // A cluster's change is noted in every mesh of its tenant, but its own feed is the tenant's.
        let changes = isOfMesh ? changes.filter { $0.key.kind != .cluster } : changes
        let named = changes.map { (name: "\($0.key)", change: $0) }.sorted { $0.name < $1.name }
        let entries = named.compactMap { entry(of: $0.change) }
        return FeedPage(
            // A stable sort: those of one revision stay in the order of their names.
            after: after, revision: reached, entries: entries.sorted { $0.revision < $1.revision },
            isComplete: reached == newest)
    }

    /// The item that a change means, by what there is now.
    ///
    /// - Returns: `nil` if the object was written or deleted once more, after what the page reaches: a later page tells.
    private func entry(of change: Change) -> FeedEntry? {
        if let object = change.object {
            return object.revision <= reached ? FeedEntry(revision: object.revision, item: .object(object)) : nil
        }
        return change.isDeleted ? FeedEntry(revision: change.revision, item: .deletedObject(change.key)) : nil
    }
}
