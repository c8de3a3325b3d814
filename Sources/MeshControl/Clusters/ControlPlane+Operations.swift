package import MeshCore
package import MeshIdentity
package import MeshStore

extension ControlPlane {
    /// A long-running operation of a tenant.
    package func operation(_ id: String, of tenant: Name, by caller: Caller) async throws -> StoredOperation {
        try authorise(caller, .readOperations, in: ObjectScope(tenant: tenant))
        guard let operation = try await translatingErrors({ try await store.operation(id, of: tenant) }) else {
            throw ControlError.notFound("operation \(id)")
        }
        return operation
    }

    /// Waits until an operation is done or the time is over, whichever is first.
    package func wait(
        for id: String, of tenant: Name, atMost limit: Duration, by caller: Caller
    ) async throws -> StoredOperation {
        let deadline = ContinuousClock.now + limit
        while true {
            let operation = try await operation(id, of: tenant, by: caller)
            let left = deadline - .now
            if operation.done || left <= .zero { return operation }
            try await Task.sleep(for: min(left, .milliseconds(200)))
        }
    }
}
