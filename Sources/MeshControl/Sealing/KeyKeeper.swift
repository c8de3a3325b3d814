internal import MeshCore
package import MeshIdentity
internal import MeshModel
package import MeshStore

/// Looks after the keys that secrets are sealed by: checks them at the start, wraps and seals anew.
///
/// Every change is of one row that is still as it was read, so that it can be interrupted, repeated and run while servers write.
package struct KeyKeeper: Sendable {
    private let store: MeshStore
    private let keys: KeyEncryptionKeys

    /// Data keys or values that are read at a time.
    private static let batch = 100

    package init(store: MeshStore, keys: KeyEncryptionKeys) {
        self.store = store
        self.keys = keys
    }

    /// The outcome of opening everything.
    package struct Findings: Sendable {
        package var dataKeys = 0
        package var values = 0
        /// A sentence for each key and value that does not open.
        package var failures: [String] = []
    }

    /// The reason for which the given keys are not those of the database.
    package struct WrongKeys: Error, CustomStringConvertible {
        package let description: String
    }

    /// Checks that the given keys unwrap what is in the database, as far as one data key for each key-encryption key tells.
    ///
    /// - Throws: ``WrongKeys``.
    package func check() async throws {
        for key in try await store.dataKeyOfEachWrapper() {
            do throws(SealingFailure) {
                _ = try keys.unwrap(key)
            } catch {
                throw WrongKeys(description: Self.sentence(key, error))
            }
        }
    }

    /// Wraps all data keys by the first key-encryption key.
    ///
    /// - Returns: how many were not.
    package func rewrap() async throws -> Int {
        var count = 0
        try await forEachDataKey { key in
            guard key.wrappedBy != keys.current else { return }
            let (wrapper, wrapped) = keys.wrap(try opened(key), for: key.tenantUID)
            var new = key
            (new.wrappedBy, new.wrapped) = (wrapper, wrapped)
            try await store.replace(key, with: new)
            count += 1
        }
        return count
    }

    /// Gives every tenant that has a data key a new one, and seals by it what the earlier ones have sealed. Those go when nothing
    /// is left of them.
    ///
    /// - Returns: how many values were sealed anew.
    package func rotateDataKeys() async throws -> Int {
        try await forEachDataKey { key in
            guard key.isCurrent else { return }
            _ = try await store.succeed(key, by: keys.newDataKey(of: key.tenant, key.tenantUID))
        }
        var count = 0
        try await forEachDataKey { key in
            guard !key.isCurrent else { return }
            count += try await reseal(key)
            try await store.deleteUnusedDataKeys(of: key.tenant)
        }
        return count
    }

    private func reseal(_ old: StoredDataKey) async throws -> Int {
        let tenantKeys = try await store.dataKeys(of: old.tenant, after: nil, limit: Self.batch)
        guard let current = tenantKeys.first(where: \.isCurrent) else { return 0 }
        let (from, to) = (try opened(old), try opened(current))
        var (count, last): (Int, SealedValue?) = (0, nil)
        while true {
            let values = try await store.sealedValues(by: old, after: last, limit: Self.batch)
            if values.isEmpty { return count }
            let changes = try values.map { (old: $0, new: try Self.resealed($0, of: old.tenantUID, from, to)) }
            try await store.replace(changes, of: old.tenant)
            count += values.count
            last = values.last
        }
    }

    private static func resealed(
        _ value: SealedValue, of tenantUID: String, _ from: DataKey, _ to: DataKey
    ) throws -> SealedValue {
        let place = SealedPlace(of: value.key, value.field, tenant: tenantUID)
        var new = value
        do throws(SealingFailure) {
            (new.dataKey, new.sealed) = (to.id, to.seal(try from.open(value.sealed, at: place), at: place))
        } catch {
            throw WrongKeys(description: sentence(value, error))
        }
        return new
    }

    /// Opens every data key and every value.
    package func verify() async throws -> Findings {
        var findings = Findings()
        try await forEachDataKey { stored in
            findings.dataKeys += 1
            let key: DataKey
            do throws(SealingFailure) {
                key = try keys.unwrap(stored)
            } catch {
                findings.failures.append(Self.sentence(stored, error))
                return
            }
            var last: SealedValue?
            while true {
                let values = try await store.sealedValues(by: stored, after: last, limit: Self.batch)
                if values.isEmpty { return }
                for value in values {
                    findings.values += 1
                    do throws(SealingFailure) {
                        _ = try key.open(
                            value.sealed, at: SealedPlace(of: value.key, value.field, tenant: stored.tenantUID))
                    } catch {
                        findings.failures.append(Self.sentence(value, error))
                    }
                }
                last = values.last
            }
        }
        return findings
    }

    private func forEachDataKey(_ body: (StoredDataKey) async throws -> Void) async throws {
        var last: StoredDataKey?
        while true {
            let page = try await store.dataKeys(after: last, limit: Self.batch)
            if page.isEmpty { return }
            for key in page { try await body(key) }
            last = page.last
        }
    }

    private func opened(_ key: StoredDataKey) throws -> DataKey {
        do throws(SealingFailure) {
            return try keys.unwrap(key)
        } catch {
            throw WrongKeys(description: Self.sentence(key, error))
        }
    }

    private static func sentence(_ key: StoredDataKey, _ failure: SealingFailure) -> String {
        "the data key \(key.id) of tenant \(key.tenant) does not open with key-encryption key \"\(key.wrappedBy)\": \(failure)"
    }

    private static func sentence(_ value: SealedValue, _ failure: SealingFailure) -> String {
        "\(value.field) of \(value.key.placed) of tenant \(value.key.tenant) does not open: \(failure)"
    }
}
