package import Documents
internal import GrayRelease
package import MeshCore
internal import MeshFeed
package import MeshIdentity
internal import MeshModel
package import MeshStore

extension ControlPlane {
    /// Forgets which version is in charge of a service, and with it which ones are retired: the service means all versions
    /// again, and every rule what it says. The warnings of the answer tell what moves.
    ///
    /// - Throws: ``ControlError/conflict(_:)`` while a release is about the service.
    package func clearStable(
        of key: ObjectKey, _ body: JSONValue, _ options: WriteOptions, by caller: Caller,
        recording record: @escaping @Sendable (WrittenObject) -> StoredAnswer
    ) async throws -> Outcome<WrittenObject> {
        try authorise(caller, .custom("clearStable", of: .service), in: ObjectScope(key))
        let log = ViolationLog()
        FieldReader(body, at: .root, log: log).finish()
        try log.check(options)
        return try await changeStatus(of: key, log.warnings(options), options, by: caller, recording: record) { _ in
            { $0 = ServiceStatus() }
        }
    }

    /// Ends the redirection of a retired version, or of all: rules that name it mean it again. The warnings of the answer
    /// tell what moves.
    ///
    /// - Parameter body: `{"from"}`, which may be left out for all.
    /// - Throws: ``ControlError/conflict(_:)`` while a release is about the service.
    package func clearPromotions(
        of key: ObjectKey, _ body: JSONValue, _ options: WriteOptions, by caller: Caller,
        recording record: @escaping @Sendable (WrittenObject) -> StoredAnswer
    ) async throws -> Outcome<WrittenObject> {
        try authorise(caller, .custom("clearPromotions", of: .service), in: ObjectScope(key))
        let log = ViolationLog()
        var fields = FieldReader(body, at: .root, log: log)
        let from = fields.read("from", .name)
        fields.finish()
        try log.check(options)
        return try await changeStatus(of: key, log.warnings(options), options, by: caller, recording: record) { old in
            if let from, old.promotion(from: from) == nil {
                throw ControlError.invalid([
                    Violation(
                        JSONPointer(["from"]), .unknownReference,
                        "\(from) is not retired: no promotion is to be cleared",
                        choices: old.promotions.map(\.from.text))
                ])
            }
            return { $0.clearPromotions(from: from) }
        }
    }

    /// - Parameter plan: from the status that there is makes the change of it.
    private func changeStatus(
        of key: ObjectKey, _ warnings: [Violation], _ options: WriteOptions, by caller: Caller,
        recording record: @escaping @Sendable (WrittenObject) -> StoredAnswer,
        _ plan: @escaping @Sendable (ServiceStatus) throws -> (inout ServiceStatus) -> Void
    ) async throws -> Outcome<WrittenObject> {
        guard let mesh = key.meshKey, let name = key.namespacedName else { throw ControlError.notFound(key.described) }
        // Before the transaction, which must not wait for another connection than its own.
        let state = try await currentState(of: mesh)
        return try await transact(key.tenant, key.mesh, options, by: caller, recording: record) { transaction in
            guard let old = try await transaction.fetch(key, forUpdate: true) else {
                throw ControlError.notFound(key.described)
            }
            try options.precondition.checkIfGiven(old)
            let releases = try await transaction.activeReleases(of: key)
            if let release = releases.first {
                throw ControlError.conflict(
                    .init(
                        "inUse", "the release \(release.key.name) is active; abort it or wait until it has ended",
                        members: ["usedBy": [["kind": "Release", "name": .string(release.key.name.text)]]]))
            }
            var status = ServiceStatus(old.status)
            let change = try plan(status)
            change(&status)
            // Before the mesh's row is locked, for which everybody waits.
            let moves = state.moves(of: name, when: change)
            let object = try await transaction.putStatus(key, status.json)
            return WrittenObject(
                object: object, created: false, warnings: warnings + moves.warnings, operation: nil)
        }
    }

    /// The mesh as the database has it now.
    ///
    /// - Throws: ``ControlError/notFound(_:)`` if there is none.
    func currentState(of mesh: MeshKey) async throws -> MeshState {
        try await translatingErrors {
            guard let revision = try await store.meshRevision(mesh) else {
                throw ControlError.notFound("mesh \(mesh.mesh)")
            }
            return try await mirror.state(of: mesh, atLeast: revision)
        }
    }
}
