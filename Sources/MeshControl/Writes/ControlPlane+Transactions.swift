internal import MeshCore
internal import MeshIdentity
internal import MeshStore

/// The result that a write would have had; thrown to leave the transaction without committing it.
private struct RolledBack<Value: Sendable>: Error {
    let value: Value
}

extension ControlPlane {
    /// Runs a use case in one transaction that is committed, rolled back (``WriteOptions/validateOnly``), or not even
    /// begun because the same call was answered before.
    ///
    /// - Parameters:
    ///   - tenant: whose rows are all that is seen; for a tenant itself, that one.
    ///   - mesh: whose revision is raised; `nil`: none of a mesh's.
    ///   - record: the answer to store for the idempotency key, in the same transaction.
    ///   - body: may run more than once, when the database asks for another try.
    func transact<Value: Sendable>(
        _ tenant: Name, _ mesh: Name?, _ options: WriteOptions, by caller: Caller,
        recording record: (@Sendable (Value) -> StoredAnswer)? = nil,
        _ body: @Sendable (StoreTransaction) async throws -> Value
    ) async throws -> Outcome<Value> {
        do {
            return try await store.write(
                tenant: tenant, mesh: mesh, actor: caller.description, requestId: options.requestId
            ) { transaction in
                guard let record, let call = options.idempotency, !options.validateOnly else {
                    let value = try await body(transaction)
                    if options.validateOnly { throw RolledBack(value: value) }
                    return .done(value)
                }
                let scope = caller.identity
                let hash = call.requestHash
                if let earlier = try await transaction.beginIdempotent(key: call.key, scope: scope, requestHash: hash) {
                    return .replayed(earlier)
                }
                let value = try await body(transaction)
                try await transaction.finishIdempotent(
                    key: call.key, scope: scope, requestHash: hash, answer: record(value))
                return .done(value)
            }
        } catch let rolledBack as RolledBack<Value> {
            return .done(rolledBack.value)
        } catch let error as StoreError {
            throw ControlError(error)
        }
    }
}
