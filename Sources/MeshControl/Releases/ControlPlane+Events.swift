package import MeshCore
package import MeshIdentity
package import MeshStore

/// One page of a release's events.
package struct ReleaseEventPage: Sendable {
    package var items: [ReleaseEventRow]
    /// The sequence number behind which the next page begins; `nil`: this is the last one.
    package var next: Int64?
}

extension ControlPlane {
    /// A page of the events of a release, oldest first.
    package func releaseEvents(
        of key: ObjectKey, pageSize: Int, after: Int64?, by caller: Caller
    ) async throws -> ReleaseEventPage {
        _ = try await fetch(key, by: caller)
        let rows = try await translatingErrors {
            try await store.releaseEvents(key, after: after ?? 0, limit: pageSize + 1)
        }
        let items = Array(rows.prefix(pageSize))
        return ReleaseEventPage(items: items, next: rows.count > pageSize ? items.last?.sequence : nil)
    }
}
