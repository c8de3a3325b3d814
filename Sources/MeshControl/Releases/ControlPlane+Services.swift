package import MeshIdentity
package import MeshModel
package import MeshStore

extension ControlPlane {
    /// Forgets which version is in charge of a service: traffic that no rule matches goes to all versions again.
    ///
    /// - Throws: ``ControlError/conflict(_:)`` while a release is about the service.
    package func clearStable(
        of key: ObjectKey, _ body: JSONValue, _ options: WriteOptions, by caller: Caller,
        recording record: @escaping @Sendable (WrittenObject) -> StoredAnswer
    ) async throws -> Outcome<WrittenObject> {
        try authorise(caller, .promoteReleases, in: ObjectScope(key))
        let log = ViolationLog()
        FieldReader(body, at: .root, log: log).finish()
        try log.check(options)
        let warnings = log.warnings(options)
        return try await transact(key.tenant, key.mesh, options, by: caller, recording: record) { transaction in
            guard let old = try await transaction.fetch(key, forUpdate: true) else {
                throw ControlError.notFound(key.described)
            }
            try options.precondition.checkIfGiven(old)
            let releases = try await transaction.activeReleases(of: key)
            guard releases.isEmpty else { throw ControlError.conflict(.inUse(key, by: releases.map(\.key))) }
            var status = ServiceStatus(old.status)
            status.stableVersion = nil
            let object = try await transaction.putStatus(key, status.json)
            return WrittenObject(object: object, created: false, warnings: warnings, operation: nil)
        }
    }
}
