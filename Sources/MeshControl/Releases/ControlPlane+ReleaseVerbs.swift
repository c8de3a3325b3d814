package import MeshIdentity
package import MeshModel
package import MeshStore

extension ControlPlane {
    /// Carries out what a person asks of a release.
    ///
    /// Takes no lease: the commit compares the row's version, so a replica that is driving the release at the same moment
    /// loses and decides again on what the person wanted.
    ///
    /// - Throws: ``ControlError/conflict(_:)`` with `allowedActions` if the verb does not fit; `activeRelease` naming the
    ///   first one if another release of the service is active.
    package func act(
        on key: ObjectKey, _ name: ReleaseVerb.Name, _ body: JSONValue, _ options: WriteOptions, by caller: Caller,
        recording record: @escaping @Sendable (WrittenObject) -> StoredAnswer
    ) async throws -> Outcome<WrittenObject> {
        let log = ViolationLog()
        var fields = FieldReader(body, at: .root, log: log)
        let verb = ReleaseVerb(name, reading: &fields)
        try authorise(caller, verb.permission, in: ObjectScope(key))
        try log.check(options)
        let warnings = log.warnings(options)
        // A lost comparison means that the release went on meanwhile: look again, then decide again.
        for _ in 0..<Self.attempts {
            let outcome = try await attempt(verb, on: key, warnings, options, by: caller, recording: record)
            if let outcome { return outcome }
        }
        throw ControlError.conflict(.init("contended", "the release changed too often meanwhile; try again"))
    }

    private static let attempts = 8

    /// - Returns: `nil` if the release was written between reading and committing.
    private func attempt(
        _ verb: ReleaseVerb, on key: ObjectKey, _ warnings: [Violation], _ options: WriteOptions, by caller: Caller,
        recording record: @escaping @Sendable (WrittenObject) -> StoredAnswer
    ) async throws -> Outcome<WrittenObject>? {
        guard let row = try await translatingErrors({ try await store.release(key) }) else {
            throw ControlError.notFound(key.described)
        }
        let release = try StoredRelease(row)
        let world = try await observe(release)
        let isStart = verb.name == .start || verb.name == .retry
        do {
            return try await transact(key.tenant, key.mesh, options, by: caller, recording: record) { transaction in
                try options.precondition.checkIfGiven(row.object)
                if isStart { try await self.checkTarget(of: release, in: transaction) }
                let decision = try Self.decide(verb, release, world)
                guard
                    let object = try await transaction.commit(
                        decision, of: row, leaseEpoch: nil, actor: caller.description, isLast: options.isPlain)
                else { throw LostComparison() }
                return WrittenObject(object: object, created: false, warnings: warnings, operation: nil)
            }
        } catch is LostComparison {
            return nil
        }
    }

    /// Somebody else wrote the release first.
    private struct LostComparison: Error {}

    private static func decide(_ verb: ReleaseVerb, _ release: StoredRelease, _ world: ReleaseWorld) throws
        -> ReleaseDecision
    {
        do {
            return try ReleaseMachine.apply(
                verb, spec: release.spec, status: release.status, observations: world.observations, now: world.now)
        } catch {
            var members: [String: JSONValue] = [
                "allowedActions": .array(error.allowedActions.map { .string($0.rawValue) }),
                "phase": .string(error.phase.rawValue),
            ]
            if let step = error.currentStep { members["currentStep"] = .integer(Int64(step)) }
            throw ControlError.conflict(.init(error.code.rawValue, error.detail, members: members))
        }
    }

    /// The service may have changed since the release was written.
    private func checkTarget(of release: StoredRelease, in transaction: StoreTransaction) async throws {
        let key = release.serviceKey
        // Locked, so that no version goes away before the start is committed.
        let service = try await transaction.fetch(key, forUpdate: true)
        guard let service = service.flatMap({ ServiceSpec.read($0.spec, at: .root, log: ViolationLog()) }) else {
            throw ControlError.conflict(.init("targetMissing", "there is no service \(release.spec.service)"))
        }
        let log = ViolationLog()
        release.spec.check(against: service, at: PlannedWrite.specPointer, log: log)
        guard log.violations.isEmpty else {
            throw ControlError.conflict(
                .init("targetMissing", "the service lacks what the release names", errors: log.violations))
        }
    }
}

extension ReleaseVerb {
    /// What a caller needs for it.
    var permission: Permission {
        switch self {
        case .start, .retry: .startReleases
        case .pause: .pauseReleases
        case .resume: .resumeReleases
        case .promote(.full, _): .promoteReleasesFully
        case .promote(.next, _): .promoteReleases
        case .rollback: .rollBackReleases
        case .abort: .abortReleases
        }
    }
}
