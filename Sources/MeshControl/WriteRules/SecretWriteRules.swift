internal import Documents
internal import MeshCore
internal import MeshIdentity
internal import MeshModel
internal import MeshStore

struct SecretWriteRules: ObjectWriteRules {
    /// The most references to removed keys that a refusal lists.
    private static let maxUsers = 100

    func carryOut(_ write: PlannedWrite, in transaction: StoreTransaction) async throws -> WrittenObject {
        var spec = try write.spec(as: SecretSpec.self)
        let old = write.oldSpec(as: SecretSpec.self)?.data ?? [:]
        let given = spec.data.filter { $0.value.given != nil }
        let kept = spec.data.keys.filter { given[$0] == nil }
        for key in kept.sorted() where old[key] == nil {
            write.log.report(
                Self.pointer(key), .required, "there is no stored value to keep: give one, as a string",
                choices: old.keys.sorted())
        }
        if write.old == nil { try await checkNumber(write, in: transaction) }
        try await checkSize(of: spec, write, in: transaction)
        try await checkUsers(ofKeys: Set(old.keys).subtracting(spec.data.keys), write, in: transaction)
        try write.log.check(write.options)
        // Of all values together: one that is removed and written again later does not have an earlier version again.
        let version = min((old.values.map(\.mark.version).max() ?? 0) + 1, SecretMark.maxVersion)
        for key in kept { spec.data[key] = old[key] }
        for key in given.keys { spec.data[key]?.mark.version = version }
        if given.isEmpty && spec.data.count == old.count { return try await write.put(spec, in: transaction) }
        let seal = given.isEmpty ? nil : try await write.control.seal(in: transaction)
        let values = given.sorted { $0.key < $1.key }.compactMap { key, value in
            value.given.flatMap { text in
                seal?.seal(Secret(Array(text.reveal().utf8)), of: write.key, SecretField.name(key))
            }
        }
        let sealed = SealedChange(written: values, kept: spec.data.keys.map(SecretField.name))
        return try await write.put(spec, sealed: sealed, in: transaction)
    }

    private func checkNumber(_ write: PlannedWrite, in transaction: StoreTransaction) async throws {
        let limit = Limits.secretsPerTenant
        // Of two who make one at the same time, the second counts the first one's.
        try await transaction.lock([.tenant(write.key.tenant)])
        let count = try await transaction.count(.secret) + 1
        guard !limit.allows(count) else { return }
        write.log.report(.root, .tooMany, "this would be Secret \(count) of the tenant; allowed are \(limit.rule)")
    }

    private func checkSize(
        of spec: SecretSpec, _ write: PlannedWrite, in transaction: StoreTransaction
    ) async throws {
        let kept = spec.data.contains { $0.value.given == nil }
        let stored = kept ? try await transaction.sealedLengths(of: write.key) : [:]
        let size = spec.data.reduce(0) { size, entry in
            let value =
                entry.value.given?.reveal().utf8.count
                ?? stored[SecretField.name(entry.key)].map(DataKey.length(ofSealed:))
            return size + entry.key.utf8.count + (value ?? 0)
        }
        let limit = Limits.secretBytes
        guard !limit.allows(size) else { return }
        write.log.report(
            JSONPointer.spec.appending("data"), .tooLong, "comes to \(size) bytes; allowed are \(limit.rule)")
    }

    /// Refuses to remove keys that objects name.
    private func checkUsers(
        ofKeys removed: Set<String>, _ write: PlannedWrite, in transaction: StoreTransaction
    ) async throws {
        guard !removed.isEmpty else { return }
        let parts = removed.sorted().map { Reference.Part.key($0) }
        let page = try await transaction.referrers(
            ReferrerQuery(to: write.key, parts: parts, keeping: true, limit: Self.maxUsers))
        var conflicts = page.items.compactMap { user -> Violation? in
            guard case .key(let key) = user.part else { return nil }
            return Violation(
                Self.pointer(key), .conflict, "cannot be removed: \(user.object.placed) names it at \(user.pointer)")
        }
        conflicts += page.unknown.map { Violation(JSONPointer.spec.appending("data"), .conflict, "\($0) may name it") }
        guard conflicts.isEmpty else {
            throw ControlError.conflict(
                ControlError.Conflict("inUse", "keys that other objects name cannot be removed", errors: conflicts))
        }
    }

    private static func pointer(_ key: String) -> JSONPointer { JSONPointer.spec.appending("data").appending(key) }
}

/// The names of a Secret's values among what is stored sealed of it.
enum SecretField {
    static func name(_ key: String) -> String { "data/\(key)" }
}

extension PlannedWrite {
    /// Reports a reference to a key that its Secret does not have.
    func checkKeys() {
        for reference in references {
            guard case .key(let key) = reference.part, let secret = held[reference.target],
                let spec: SecretSpec = secret.decodedSpec(), spec.data[key] == nil
            else { continue }
            log.report(
                reference.pointer.appending("key"), .unknownReference,
                "the \(reference.target.described) has no key \(key)",
                choices: spec.data.keys.sorted())
        }
    }
}
