package import MeshCore
internal import Postgres

/// A tenant's data key as it is stored: wrapped.
package struct StoredDataKey: Hashable, Sendable {
    package var tenant: Name
    /// The uid of the tenant's object.
    package var tenantUID: String
    package var id: String
    /// The id of the key-encryption key.
    package var wrappedBy: String
    package var wrapped: [UInt8]
    /// Whether it seals; others only open.
    package var isCurrent: Bool

    package init(
        tenant: Name, tenantUID: String, id: String, wrappedBy: String, wrapped: [UInt8], isCurrent: Bool = true
    ) {
        self.tenant = tenant
        self.tenantUID = tenantUID
        self.id = id
        self.wrappedBy = wrappedBy
        self.wrapped = wrapped
        self.isCurrent = isCurrent
    }

    static let columns: Statement = """
        d.tenant, d.tenant_uid::text AS tenant_uid, d.id AS data_key_id, d.wrapped_by, d.wrapped, d.is_current
        """

    init(_ row: Row) throws(PostgresError) {
        self.init(
            tenant: try row.name("tenant"), tenantUID: try row["tenant_uid"], id: try row["data_key_id"],
            wrappedBy: try row["wrapped_by"], wrapped: try row["wrapped"], isCurrent: try row["is_current"])
    }

    /// Adds it as the current key, unless there is one.
    var insertion: Statement {
        """
        INSERT INTO data_key (tenant, id, tenant_uid, wrapped_by, wrapped, is_current)
        SELECT tenant, \(id), uid, \(wrappedBy), \(wrapped), true FROM object
         WHERE tenant = \(tenant.text) AND kind = 'Tenant' AND uid = \(tenantUID)::text::uuid
        ON CONFLICT (tenant) WHERE is_current DO NOTHING
        """
    }
}

extension StoreTransaction {
    /// The uid of the tenant's object.
    ///
    /// - Throws: ``StoreError/notFound`` if there is no such tenant.
    package func tenantUID() async throws -> String {
        let rows = try await session.query(
            "SELECT uid::text AS uid FROM object WHERE tenant = \(tenant.text) AND kind = 'Tenant'")
        guard let uid = try rows.first({ row throws(PostgresError) -> String in try row["uid"] }) else {
            throw StoreError.notFound
        }
        return uid
    }

    /// The tenant's key that seals, and goes on sealing until the transaction ends; `nil` if none was made yet.
    package func currentDataKey() async throws -> StoredDataKey? {
        try await session.query(
            """
            SELECT \(StoredDataKey.columns) FROM data_key d
             WHERE d.tenant = \(tenant.text) AND d.is_current FOR SHARE
            """
        ).first(StoredDataKey.init)
    }

    /// Makes a key the tenant's current one, unless it has one, perhaps since a moment ago.
    package func addDataKey(_ key: StoredDataKey) async throws { try await session.query(key.insertion) }
}

extension MeshStore {
    /// A page of the data keys of all tenants, or of one.
    ///
    /// - Parameter last: the key that the page before ended with.
    package func dataKeys(
        of tenant: Name? = nil, after last: StoredDataKey?, limit: Int
    ) async throws(StoreError) -> [StoredDataKey] {
        try await rows(
            """
            SELECT \(StoredDataKey.columns) FROM data_key d
             WHERE (d.tenant, d.id) > (\(last?.tenant.text ?? ""), \(last?.id ?? ""))
               AND (\(tenant == nil) OR d.tenant = \(tenant?.text ?? ""))
             ORDER BY d.tenant, d.id LIMIT \(limit)
            """, seeing: tenant.map { .tenant($0) } ?? .all
        ).all(StoredDataKey.init)
    }

    /// Puts a key wrapped anew in the place of one, unless somebody else has done so.
    package func replace(_ key: StoredDataKey, with new: StoredDataKey) async throws(StoreError) {
        _ = try await rows(
            """
            UPDATE data_key SET wrapped_by = \(new.wrappedBy), wrapped = \(new.wrapped)
             WHERE tenant = \(key.tenant.text) AND id = \(key.id) AND wrapped_by = \(key.wrappedBy)
               AND wrapped = \(key.wrapped)
            """, seeing: .tenant(key.tenant))
    }

    /// Has a new key seal in place of the tenant's current one, which goes on opening.
    ///
    /// - Returns: whether `old` was the current one.
    package func succeed(_ old: StoredDataKey, by new: StoredDataKey) async throws(StoreError) -> Bool {
        do {
            return try await pool.transaction(prelude: [Visibility.tenant(old.tenant).statement]) { session in
                let retired = try await session.query(
                    """
                    UPDATE data_key SET is_current = false
                     WHERE tenant = \(old.tenant.text) AND id = \(old.id) AND is_current RETURNING 1
                    """)
                guard !retired.isEmpty else { return false }
                try await session.query(new.insertion)
                return true
            }
        } catch let error as PostgresError {
            throw StoreError(error)
        } catch {
            throw .internal("\(error)")
        }
    }

    /// Deletes the keys of a tenant that neither seal nor have anything left to open.
    package func deleteUnusedDataKeys(of tenant: Name) async throws(StoreError) {
        _ = try await rows(
            """
            DELETE FROM data_key d WHERE d.tenant = \(tenant.text) AND NOT d.is_current
               AND NOT EXISTS (SELECT FROM sealed_value v WHERE v.tenant = d.tenant AND v.data_key = d.id)
            """, seeing: .tenant(tenant))
    }
}

extension MeshStore {
    /// One data key for each key-encryption key that wraps any.
    package func dataKeyOfEachWrapper() async throws(StoreError) -> [StoredDataKey] {
        try await rows(
            """
            SELECT DISTINCT ON (d.wrapped_by) \(StoredDataKey.columns) FROM data_key d ORDER BY d.wrapped_by, d.tenant, d.id
            """, seeing: .all
        ).all(StoredDataKey.init)
    }
}
