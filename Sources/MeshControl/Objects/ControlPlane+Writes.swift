internal import Documents
package import MeshCore
package import MeshIdentity
internal import MeshModel
package import MeshStore

extension ControlPlane {
    /// Creates or changes one object: who may, what is valid, what fits to the rest; then the write.
    ///
    /// - Parameters:
    ///   - name: the name in the URL; `nil` for ``ObjectChange/create(_:)``.
    ///   - record: the answer to store for an idempotency key.
    /// - Throws: ``ControlError``.
    package func write(
        _ kind: Kind, _ name: Name?, in scope: ObjectScope, _ change: ObjectChange, _ options: WriteOptions,
        by caller: Caller, recording record: (@Sendable (WrittenObject) -> StoredAnswer)? = nil
    ) async throws -> Outcome<WrittenObject> {
        let rules = kind.rules
        if let name {
            try authorise(caller, .update(kind), in: ObjectScope(scope.holding(kind, name)))
        } else {
            try authorise(caller, .create(kind), in: scope)
        }

        var early: (draft: ObjectDraft, log: ViolationLog)?
        switch change {
        case .create(let document), .replace(let document):
            let log = ViolationLog()
            early = (ObjectDraft(document, kind: kind, scope: scope, name: name, log: log), log)
        case .patch: break
        }
        guard let name = name ?? early?.draft.name else { throw ControlError.invalid(early?.log.errors(options) ?? []) }
        let key = try scope.holding(kind, name)
        let precondition = Self.precondition(of: change, options)
        var options = options
        if kind == .secret, let call = options.idempotency {
            // A hash of the request would tell whoever has a dump whether a guess of what is in it is right.
            options.idempotency?.requestHash = try keyEncryptionKeys().digest(call.requestHash)
        }
        let asked = options
        // Not in the transaction, which would keep others waiting for a connection of its own and of another one.
        let base = rules.needsMesh ? try await knownState(of: key) : nil
        return try await transact(key.tenant, key.mesh, asked, by: caller, recording: record) { transaction in
            let old = try await transaction.fetch(key, forUpdate: true)
            if case .create = change, let old { throw ControlError.conflict(.alreadyExists(old)) }
            if case .patch = change, old == nil { throw ControlError.notFound(key.described) }
            try precondition.check(old)
            if old == nil { try self.authorise(caller, .create(kind), in: scope) }
            let log = ViolationLog()
            let draft = ObjectDraft(
                Self.document(of: change, on: old), kind: kind, scope: scope, name: name, log: log)
            let spec = kind.specType.read(draft.spec, at: JSONPointer.spec, log: log)
            try log.check(asked)
            guard let spec else { throw ControlError.fault("\(key) is neither valid nor reported") }
            var write = PlannedWrite(
                key: key, old: old, draft: draft, log: log, options: asked, caller: caller, control: self,
                base: base, typedSpec: spec, references: spec.references(of: key))
            try write.checkNumberOfReferences()
            try await rules.prepare(write, in: transaction)
            try await write.hold(in: transaction)
            return try await rules.carryOut(write, in: transaction)
        }
    }

    /// POST means "create"; it has no precondition of its own.
    private static func precondition(of change: ObjectChange, _ options: WriteOptions) -> Precondition {
        if case .create = change { return .absent }
        return options.precondition
    }

    private static func document(of change: ObjectChange, on old: StoredObject?) -> JSONValue {
        switch change {
        case .create(let document), .replace(let document): document
        case .patch(let patch):
            JSONValue.object([
                "metadata": .fields([
                    "labels": .map(old?.metadata.labels ?? [:]), "annotations": .map(old?.metadata.annotations ?? [:]),
                ]),
                "spec": old?.spec ?? [:],
            ]).merged(with: patch)
        }
    }

    /// Deletes one object, if nothing needs it.
    package func delete(_ key: ObjectKey, _ options: WriteOptions, by caller: Caller) async throws {
        try authorise(caller, .delete(key.kind), in: ObjectScope(key))
        // So that few are left to be asked in the transaction.
        _ = try await translatingErrors { try await store.mendReferences(of: key.tenant) }
        _ = try await transact(key.tenant, key.mesh, options, by: caller) { transaction in
            guard let old = try await transaction.fetch(key, forUpdate: true) else {
                throw ControlError.notFound(key.described)
            }
            try options.precondition.check(old)
            try await key.kind.rules.checkDeletion(of: old, in: transaction)
            try await self.checkIsUnused(old, in: transaction)
            try await transaction.delete(key, isLast: options.isPlain)
        }
    }
}

extension ControlError.Conflict {
    static func alreadyExists(_ object: StoredObject) -> Self {
        Self(
            "alreadyExists", "the \(object.key.described) exists already",
            members: ["current": .string(ObjectVersion(object).text)])
    }
}

extension ObjectScope {
    /// The ``key(_:_:)`` in a scope that is known to be one of the kind's.
    fileprivate func holding(_ kind: Kind, _ name: Name) throws(ControlError) -> ObjectKey {
        guard let key = key(kind, name) else { throw ControlError.fault("\(kind) does not stand in \(self)") }
        return key
    }
}
