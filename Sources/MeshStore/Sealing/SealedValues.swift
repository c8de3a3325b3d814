package import MeshCore
internal import MeshModel
internal import Postgres

/// A value that belongs to an object and is stored sealed, beside its documents.
package struct SealedValue: Hashable, Sendable {
    /// The object's.
    package var key: ObjectKey
    /// The name of the value among those of the object.
    package var field: String
    /// The id of the data key.
    package var dataKey: String
    package var sealed: [UInt8]

    package init(key: ObjectKey, field: String, dataKey: String, sealed: [UInt8]) {
        self.key = key
        self.field = field
        self.dataKey = dataKey
        self.sealed = sealed
    }

    static let columns: Statement = """
        v.tenant, v.kind, v.mesh, v.namespace, v.service, v.name, v.field, v.data_key, v.sealed
        """

    /// - Returns: `nil` for a kind that only a newer version of this server knows.
    static func read(_ row: Row) throws(PostgresError) -> SealedValue? {
        guard let key = try ObjectRow.keyIfKnown(row) else { return nil }
        return SealedValue(key: key, field: try row["field"], dataKey: try row["data_key"], sealed: try row["sealed"])
    }
}

/// Changes of the sealed values of an object, which are written with it.
package struct SealedChange: Sendable {
    package var written: [SealedValue] = []
    /// The names of the values that it has afterwards; others go.
    package var kept: [String] = []

    package init(written: [SealedValue] = [], kept: [String] = []) {
        self.written = written
        self.kept = kept
    }

    /// The statements behind the one that writes the object.
    func statements(of key: ObjectKey) -> [Statement] {
        let row = ObjectRow(key)
        return [
            "DELETE FROM sealed_value WHERE \(row.predicate) AND field <> ALL (\(kept)::text[])"
        ]
            + written.map { value in
                """
                INSERT INTO sealed_value (tenant, kind, mesh, namespace, service, name, field, data_key, sealed)
                VALUES (\(row.tenant), \(row.kind), \(row.mesh), \(row.namespace), \(row.service), \(row.name),
                        \(value.field), \(value.dataKey), \(value.sealed))
                ON CONFLICT (tenant, kind, mesh, namespace, service, name, field) DO UPDATE
                   SET data_key = excluded.data_key, sealed = excluded.sealed
                """
            }
    }
}

extension StoreTransaction {
    /// How long an object's sealed values are, as they are stored.
    package func sealedLengths(of key: ObjectKey) async throws -> [String: Int] {
        let lengths = try await session.query(
            "SELECT field, length(sealed) AS length FROM sealed_value WHERE \(ObjectRow(key).predicate)"
        ).all { row throws(PostgresError) in
            (try row["field", as: String.self], Int(try row["length", as: Int32.self]))
        }
        return Dictionary(lengths) { first, _ in first }
    }

    /// The number of the tenant's objects of a kind, in all meshes.
    package func count(_ kind: Kind) async throws -> Int {
        let count = try await session.query(
            "SELECT count(*) AS count FROM object WHERE tenant = \(tenant.text) AND kind = \(kind.name)"
        ).single { row throws(PostgresError) -> Int64 in try row["count"] }
        return Int(clamping: count)
    }
}

extension MeshStore {
    /// Some of an object's sealed values with the keys that open them.
    package func sealedValues(
        of key: ObjectKey, _ fields: [String]
    ) async throws(StoreError) -> [(value: SealedValue, key: StoredDataKey)] {
        try await rows(
            """
            SELECT \(SealedValue.columns), \(StoredDataKey.columns)
              FROM (SELECT * FROM sealed_value WHERE \(ObjectRow(key).predicate) AND field = ANY (\(fields)::text[])) v
              JOIN data_key d ON d.tenant = v.tenant AND d.id = v.data_key
            """, seeing: .tenant(key.tenant)
        ).all { row throws(PostgresError) in
            guard let value = try SealedValue.read(row) else {
                throw PostgresError(.decoding, "a kind that was asked for is unknown")
            }
            return (value, try StoredDataKey(row))
        }
    }

    /// A page of what a data key has sealed.
    ///
    /// - Parameter last: the value that the page before ended with.
    package func sealedValues(
        by key: StoredDataKey, after last: SealedValue?, limit: Int
    ) async throws(StoreError) -> [SealedValue] {
        let row = last.map { ObjectRow($0.key) }
        let found = try await rows(
            """
            SELECT \(SealedValue.columns) FROM sealed_value v
             WHERE v.tenant = \(key.tenant.text) AND v.data_key = \(key.id)
               AND (v.kind, v.mesh, v.namespace, v.service, v.name, v.field)
                 > (\(row?.kind ?? ""), \(row?.mesh ?? ""), \(row?.namespace ?? ""), \(row?.service ?? ""),
                    \(row?.name ?? ""), \(last?.field ?? ""))
             ORDER BY v.kind, v.mesh, v.namespace, v.service, v.name, v.field LIMIT \(limit)
            """, seeing: .tenant(key.tenant)
        ).all(SealedValue.read)
        return found.compactMap { $0 }
    }

    /// Puts values sealed anew in the places of those that are still as they were read.
    package func replace(
        _ changes: [(old: SealedValue, new: SealedValue)], of tenant: Name
    ) async throws(StoreError) {
        do {
            try await pool.transaction(prelude: [Visibility.tenant(tenant).statement]) { session in
                _ = try await session.pipeline(
                    changes.map { change in
                        """
                        UPDATE sealed_value SET data_key = \(change.new.dataKey), sealed = \(change.new.sealed)
                         WHERE \(ObjectRow(change.old.key).predicate) AND field = \(change.old.field)
                           AND sealed = \(change.old.sealed)
                        """
                    })
            }
        } catch let error as PostgresError {
            throw StoreError(error)
        } catch {
            throw .internal("\(error)")
        }
    }
}
