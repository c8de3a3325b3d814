package import MeshCore
internal import Postgres

/// A key that people and scripts authenticate with, as it is stored: without its secret.
package struct StoredAPIKey: Hashable, Sendable {
    package var tenant: Name
    package var id: Name
    /// The beginning of the secret, by which people recognise it.
    package var prefix: String
    package var role: String
    /// Empty: all meshes of the tenant.
    package var meshes: [Name]
    /// Empty: all namespaces.
    package var namespaces: [Name]
    package var description: String
    /// The person that it stands for; `nil`: the key is a person of its own.
    package var owner: String?
    /// Groups by which gates of release plans know the person.
    package var groups: [String]
    package var createTime: Timestamp
    /// `nil`: never.
    package var expireTime: Timestamp?

    package init(
        tenant: Name, id: Name, prefix: String, role: String, meshes: [Name] = [], namespaces: [Name] = [],
        description: String = "", owner: String? = nil, groups: [String] = [],
        createTime: Timestamp = Timestamp(microseconds: 0),
        expireTime: Timestamp? = nil
    ) {
        self.tenant = tenant
        self.id = id
        self.prefix = prefix
        self.role = role
        self.meshes = meshes
        self.namespaces = namespaces
        self.description = description
        self.owner = owner
        self.groups = groups
        self.createTime = createTime
        self.expireTime = expireTime
    }

    static let columns: Statement =
        "tenant, id, prefix, role, meshes, namespaces, description, owner, groups, created_at, expires_at"

    static func decode(_ row: Row) throws(PostgresError) -> StoredAPIKey {
        StoredAPIKey(
            tenant: try row.name("tenant"), id: try row.name("id"), prefix: try row["prefix"], role: try row["role"],
            meshes: try names(row["meshes"]), namespaces: try names(row["namespaces"]),
            description: try row["description"], owner: try row["owner"], groups: try row["groups"],
            createTime: try row.time("created_at"),
            expireTime: try row.timeIfAny("expires_at"))
    }

    /// An entry that cannot be read must not be left out: an empty list stands for all.
    private static func names(_ texts: [String]) throws(PostgresError) -> [Name] {
        var names: [Name] = []
        for text in texts {
            guard let name = Name(text) else {
                throw PostgresError(.decoding, "an API key is narrowed to \"\(text)\", which is no name")
            }
            names.append(name)
        }
        return names
    }
}

extension MeshStore {
    /// The key whose secret has this SHA-256, unless it has expired.
    package func apiKey(secretHash: [UInt8]) async throws(StoreError) -> StoredAPIKey? {
        try await rows(
            """
            SELECT \(StoredAPIKey.columns) FROM api_key
             WHERE secret_hash = \(secretHash) AND (expires_at IS NULL OR expires_at > now())
            """, seeing: .all
        ).first(StoredAPIKey.decode)
    }

    /// The keys of a tenant, expired ones too, in the order of their ids, behind `after`.
    package func apiKeys(of tenant: Name, after: Name?, limit: Int) async throws(StoreError) -> [StoredAPIKey] {
        try await rows(
            """
            SELECT \(StoredAPIKey.columns) FROM api_key
             WHERE tenant = \(tenant.text) AND id > \(after?.text ?? "") ORDER BY id LIMIT \(limit)
            """, seeing: .tenant(tenant)
        ).all(StoredAPIKey.decode)
    }
}

extension StoreTransaction {
    /// - Parameter secretHash: SHA-256 of the secret, 32 bytes.
    package func insertAPIKey(_ key: StoredAPIKey, secretHash: [UInt8]) async throws -> StoredAPIKey {
        let rows = try await session.query(
            """
            INSERT INTO api_key (tenant, id, secret_hash, prefix, role, meshes, namespaces, description, owner, groups, expires_at)
            VALUES (\(tenant.text), \(key.id.text), \(secretHash), \(key.prefix), \(key.role), \(key.meshes.map(\.text)),
                    \(key.namespaces.map(\.text)), \(key.description), \(key.owner), \(key.groups),
                    \(key.expireTime?.stored))
            ON CONFLICT (tenant, id) DO NOTHING RETURNING \(StoredAPIKey.columns)
            """)
        guard let stored = try rows.first(StoredAPIKey.decode) else { throw StoreError.alreadyExists }
        return stored
    }

    /// - Throws: ``StoreError/notFound``.
    package func deleteAPIKey(_ id: Name) async throws {
        let deletion = try await session.query("DELETE FROM api_key WHERE tenant = \(tenant.text) AND id = \(id.text)")
        if deletion.affectedRows == 0 { throw StoreError.notFound }
    }
}
