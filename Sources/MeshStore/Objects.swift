package import MeshCore
package import MeshModel
internal import Postgres

/// Which objects a list is of, and which page of it.
package struct ListQuery: Sendable {
    package var kind: Kind
    /// For tenants themselves: `nil`, to list all of them.
    package var tenant: Name?
    package var mesh: Name?
    package var namespace: Name?
    package var service: Name?
    /// All of these labels must be there with these values.
    package var labels: [(name: String, value: String)]
    /// `1...1000`.
    package var pageSize: Int
    package var after: PageCursor?

    package init(
        kind: Kind, tenant: Name?, mesh: Name? = nil, namespace: Name? = nil, service: Name? = nil,
        labels: [(name: String, value: String)] = [], pageSize: Int = 100, after: PageCursor? = nil
    ) {
        self.kind = kind
        self.tenant = tenant
        self.mesh = mesh
        self.namespace = namespace
        self.service = service
        self.labels = labels
        self.pageSize = pageSize
        self.after = after
    }
}

/// The place behind the last object of a page. Lists are in the order of tenant, mesh, namespace, service, name.
package struct PageCursor: Hashable, Sendable {
    /// The five parts in that order; empty where the kind has none.
    package let parts: [String]

    /// - Returns: `nil` unless there are five parts, each a name or empty.
    package init?(parts: [String]) {
        guard parts.count == 5, parts.allSatisfy({ $0.isEmpty || Name($0) != nil }) else { return nil }
        self.parts = parts
    }

    init(_ key: ObjectKey) {
        parts = [
            key.tenant.text, key.mesh?.text ?? "", key.namespace?.text ?? "", key.service?.text ?? "", key.name.text,
        ]
    }
}

extension MeshStore {
    /// One object.
    ///
    /// - Returns: `nil` if there is none of this tenant.
    package func fetch(_ key: ObjectKey) async throws(StoreError) -> StoredObject? {
        let row = ObjectRow(key)
        return try await rows(
            "SELECT \(ObjectRow.columns) FROM object WHERE \(row.condition)", seeing: .tenant(key.tenant)
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
