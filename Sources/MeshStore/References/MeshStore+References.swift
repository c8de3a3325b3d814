internal import Documents
internal import Logging
package import MeshCore
package import MeshModel
internal import Postgres

extension StoreTransaction {
    /// Places in which objects of the tenant name an object, as one statement of the transaction sees them; objects whose rows are
    /// not right are asked themselves.
    package func referrers(_ query: ReferrerQuery) async throws -> ReferrerPage {
        if let parts = query.parts, parts.isEmpty { return ReferrerPage() }
        return try ReferenceRow.page(await session.query(ReferenceRow.select(query)), of: query)
    }

    /// Objects of the tenant that exist, which stay, as others for whom they are only to be there see them, until the transaction
    /// ends; who would change or delete one has fetched it for update, and waits.
    package func hold(_ keys: Set<ObjectKey>) async throws -> [ObjectKey: StoredObject] {
        if keys.isEmpty { return [:] }
        let objects = try await session.query(
            "\(ObjectRow.select(keys, tenant: tenant)) \(ObjectRow.lockOrder) FOR KEY SHARE"
        ).all(ObjectRow.decode)
        return Dictionary(objects.map { ($0.key, $0) }) { first, _ in first }
    }
}

extension MeshStore {
    /// How many objects are made right in one transaction.
    private static let objectsAtOnce = 200

    /// A page of those who name an object, after the rows of the tenant were made right.
    package func referrers(_ query: ReferrerQuery) async throws -> ReferrerPage {
        _ = try await mendReferences(of: query.target.tenant)
        return try ReferenceRow.page(
            await rows(ReferenceRow.select(query), seeing: .tenant(query.target.tenant)), of: query)
    }

    /// Which of some objects exist. All keys must be of one tenant.
    package func existing(_ keys: Set<ObjectKey>) async throws(StoreError) -> Set<ObjectKey> {
        guard let tenant = keys.first?.tenant else { return [] }
        let found = try await rows(
            """
            SELECT tenant, kind, mesh, namespace, service, name FROM object WHERE \(ObjectRow.isOne(of: keys, tenant: tenant))
            """, seeing: .tenant(tenant))
        return Set(try found.all { row throws(PostgresError) in try ObjectRow.key(row) })
    }

    /// Goes once through the objects whose rows of references are not right, and makes them right: those that a version of this
    /// server has written that does not write references, or whose functions answer something else. Objects that somebody is
    /// writing at the moment are left for another time, and so are those of which the database does not take the rows.
    ///
    /// - Parameters:
    ///   - tenant: `nil`: of all tenants.
    ///   - limit: how many are read at a time; for tests.
    /// - Returns: how many were made right.
    package func mendReferences(of tenant: Name? = nil, atOnce limit: Int = objectsAtOnce) async throws -> Int {
        let visibility: Visibility = tenant.map { .tenant($0) } ?? .all
        var (mended, last): (Int, ObjectKey?) = (0, nil)
        while true {
            let stale = try await rows(
                ReferenceRow.selectStale(of: tenant, after: last, limit: limit), seeing: visibility
            ).all { row throws(PostgresError) in
                (key: try ObjectRow.key(row), size: Int(try row["size", as: Int32.self]))
            }
            var batch: [ObjectKey] = []
            var size = 0
            for object in stale {
                if !batch.isEmpty,
                    size + object.size > Limits.feedPageBytes.value || object.key.tenant != batch[0].tenant
                {
                    mended += try await mendReferences(of: batch)
                    (batch, size) = ([], 0)
                }
                batch.append(object.key)
                size += object.size
            }
            if !batch.isEmpty { mended += try await mendReferences(of: batch) }
            guard stale.count == limit else { return mended }
            last = stale.last?.key
        }
    }

    /// - Parameter keys: of one tenant.
    private func mendReferences(of keys: [ObjectKey]) async throws -> Int {
        do {
            return try await makeReferences(of: keys)
        } catch let error as StoreError {
            if case .unavailable = error { throw error }
            guard keys.count > 1 else {
                logger.warning("references not made right", metadata: ["object": "\(keys)", "error": "\(error)"])
                return 0
            }
            var mended = 0
            for key in keys { mended += try await mendReferences(of: [key]) }
            return mended
        }
    }

    private func makeReferences(of keys: [ObjectKey]) async throws -> Int {
        guard let tenant = keys.first?.tenant else { return 0 }
        do {
            return try await pool.transaction(prelude: [Visibility.tenant(tenant).statement]) { session in
                let objects = try await session.query(
                    """
                    SELECT tenant, kind, mesh, namespace, service, name, spec FROM object o
                     WHERE \(ObjectRow.isOne(of: keys, tenant: tenant)) AND \(ReferenceRow.isStale)
                     \(ObjectRow.lockOrder) FOR NO KEY UPDATE SKIP LOCKED
                    """
                ).all(StoredSpec.init)
                if objects.isEmpty { return 0 }
                // Of one that cannot be read, rows that there are were made by a version that can.
                let readable = objects.compactMap { object in object.references.map { (object.key, $0) } }
                let rows = readable.isEmpty ? [] : ReferenceRow.replacing(readable, tenant: tenant)
                let right: Statement = """
                    UPDATE object SET references_generation = generation, references_version = \(Int64(Reference.version))
                     WHERE \(ObjectRow.isOne(of: objects.map(\.key), tenant: tenant))
                    """
                _ = try await session.pipeline(rows + [right])
                return objects.count
            }
        } catch let error as PostgresError {
            throw StoreError(error)
        }
    }
}
