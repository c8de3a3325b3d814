package import Documents
package import MeshCore
package import MeshIdentity
internal import MeshModel
package import MeshStore

/// A key that was just made, with the only copy of its secret.
package struct IssuedAPIKey: Sendable {
    package var key: StoredAPIKey
    package var secret: Secret<String>
    package var warnings: [Violation]
}

extension ControlPlane {
    /// Whom a token stands for.
    ///
    /// - Returns: `nil` for a token that is unknown, revoked or expired.
    package func caller(withToken token: String) async throws -> Caller? {
        let hash = APIKeySecret.hash(of: token)
        guard let key = try await translatingErrors({ try await store.apiKey(secretHash: hash) }),
            let role = Role(rawValue: key.role)
        else { return nil }
        return Caller(
            description: "apiKey:\(key.id)", identity: "apiKey:\(key.id)@\(key.createTime.microseconds)", role: role,
            person: key.owner, groups: Set(key.groups), tenant: key.tenant, meshes: Set(key.meshes),
            namespaces: Set(key.namespaces))
    }

    /// Makes a key: `{"id", "displayName", "role", "meshes", "namespaces", "owner", "groups", "ttl"}`.
    ///
    /// - Parameter record: the answer to store for an idempotency key; it must not have the secret.
    package func createAPIKey(
        of tenant: Name, _ body: JSONValue, _ options: WriteOptions, by caller: Caller,
        recording record: @escaping @Sendable (IssuedAPIKey) -> StoredAnswer
    ) async throws -> Outcome<IssuedAPIKey> {
        try authorise(caller, .writeAPIKeys, in: ObjectScope(tenant: tenant))
        let log = ViolationLog()
        let now = try await translatingErrors { try await store.now() }
        let requested = StoredAPIKey(reading: body, tenant: tenant, now: now, log)
        try log.check(options)
        guard var key = requested else { throw ControlError.fault("an API key is neither valid nor reported") }
        let secret = APIKeySecret(id: key.id)
        key.prefix = secret.prefix
        let (draft, warnings) = (key, log.warnings(options))
        return try await transact(tenant, nil, options, by: caller, recording: record) { transaction in
            guard try await transaction.fetch(.tenant(tenant), forUpdate: false) != nil else {
                throw ControlError.notFound("tenant \(tenant)")
            }
            let stored = try await transaction.insertAPIKey(draft, secretHash: secret.hash)
            return IssuedAPIKey(key: stored, secret: secret.text, warnings: warnings)
        }
    }

    /// The keys of a tenant in the order of their ids, one more than `limit` if there are more.
    package func apiKeys(of tenant: Name, after: Name?, limit: Int, by caller: Caller) async throws -> [StoredAPIKey] {
        try authorise(caller, .readAPIKeys, in: ObjectScope(tenant: tenant))
        return try await translatingErrors {
            guard try await store.fetch(.tenant(tenant)) != nil else { throw ControlError.notFound("tenant \(tenant)") }
            return try await store.apiKeys(of: tenant, after: after, limit: limit)
        }
    }

    package func revokeAPIKey(_ id: Name, of tenant: Name, _ options: WriteOptions, by caller: Caller) async throws {
        try authorise(caller, .writeAPIKeys, in: ObjectScope(tenant: tenant))
        _ = try await transact(tenant, nil, options, by: caller) { transaction in
            do {
                try await transaction.deleteAPIKey(id)
            } catch StoreError.notFound {
                throw ControlError.notFound("API key \(id)")
            }
        }
    }
}

extension StoredAPIKey {
    /// How long a key may be valid.
    private static let lifetimes: ClosedRange<Duration> = .seconds(60)...(.seconds(3650 * 86_400))

    /// - Returns: `nil` only if something was reported.
    fileprivate init?(reading body: JSONValue, tenant: Name, now: Timestamp, _ log: ViolationLog) {
        var fields = FieldReader(body, at: .root, log: log)
        let id = fields.read("id", .name)
        let role = fields.read("role", Shape<Role>.choice, required: true)
        if role == .platformAdmin {
            log.report(
                JSONPointer(["role"]), .invalidValue, "a key belongs to a tenant, so it cannot be of the platform")
        }
        let description = fields.read("displayName", .string(atMost: 200)) ?? ""
        let meshes = fields.read("meshes", .list(of: .name, 0...64)) ?? []
        let namespaces = fields.read("namespaces", .list(of: .name, 0...64)) ?? []
        let owner = fields.read("owner", .string(atMost: 200))
        let groups = fields.read("groups", .list(of: .string(atMost: 100), 0...64)) ?? []
        let lifetime = fields.read("ttl", .duration(Self.lifetimes))
        fields.finish()
        guard let role, let id = id ?? Name("key-" + String(UInt64.random(in: .min ... .max), radix: 36)) else {
            return nil
        }
        self.init(
            tenant: tenant, id: id, prefix: "", role: role.rawValue, meshes: meshes, namespaces: namespaces,
            description: description, owner: owner, groups: groups, expireTime: lifetime.map { now + $0 })
    }
}
