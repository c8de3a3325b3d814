package import MeshCore
package import MeshModel
internal import Postgres

extension MeshStore {
    /// One object.
    ///
    /// - Returns: `nil` if there is none of this tenant.
    package func fetch(_ key: ObjectKey) async throws(StoreError) -> StoredObject? {
        let row = ObjectRow(key)
        return try await rows(
            "SELECT \(ObjectRow.columns) FROM object WHERE \(row.predicate)", seeing: .tenant(key.tenant)
        ).first(ObjectRow.decode)
    }

    /// The rows of some objects that exist, in no particular order. All keys must be of one tenant.
    package func fetch(_ keys: [ObjectKey]) async throws(StoreError) -> [StoredObject] {
        guard let tenant = keys.first?.tenant else { return [] }
        return try await rows(ObjectRow.select(keys, tenant: tenant), seeing: .tenant(tenant)).all(ObjectRow.decode)
    }

    /// One page of a list: as many objects as the query says, or fewer if they are large (``Limits/pageBytes``).
    package func list(_ query: ListQuery) async throws(StoreError) -> (items: [StoredObject], next: PageCursor?) {
        let visibility = query.tenant.map { Visibility.tenant($0) } ?? .all
        return try page(await rows(ObjectRow.select(query), seeing: visibility), of: query)
    }
}

/// The rows that ``ObjectRow/select(_:)`` found, without the row that was only fetched to know whether there is more.
func page(_ rows: Rows, of query: ListQuery) throws(StoreError) -> (items: [StoredObject], next: PageCursor?) {
    let found = try rows.first { row throws(PostgresError) -> Int64 in try row["found"] } ?? 0
    let items = Array(try rows.all(ObjectRow.decodeWithConditions).prefix(query.pageSize))
    return (items, found > items.count ? items.last.map { PageCursor($0.key) } : nil)
}
