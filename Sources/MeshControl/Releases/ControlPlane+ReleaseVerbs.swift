package import Documents
internal import FaultPoints
package import GrayRelease
internal import MeshCompiler
package import MeshCore
package import MeshIdentity
internal import MeshModel
package import MeshStore

extension ControlPlane {
    /// Carries out what a person asks of a release.
    ///
    /// Takes no lease: the commit compares the row's version, so a replica that is driving the release at the same moment
    /// loses and decides again on what the person wanted.
    ///
    /// The warnings of a start tell what becomes of every rule that sends to the service, those of a promotion what moves.
    ///
    /// - Throws: ``ControlError/conflict(_:)`` with `allowedActions` if the verb does not fit; `activeRelease` naming the
    ///   first one if another release of the service is active; `canaryWeight` if a rule that a start would split gives the
    ///   canary requests already.
    package func act(
        on key: ObjectKey, _ name: ReleaseVerb.Name, _ body: JSONValue, _ options: WriteOptions, by caller: Caller,
        recording record: @escaping @Sendable (WrittenObject) -> StoredAnswer
    ) async throws -> Outcome<WrittenObject> {
        let log = ViolationLog()
        var fields = FieldReader(body, at: .root, log: log)
        let verb = ReleaseVerb(name, reading: &fields)
        try authorise(caller, verb.permission, in: ObjectScope(key))
        if verb.override.freezes {
            try authorise(caller, .custom("overrideFreeze", of: .release), in: ObjectScope(key))
        }
        try log.check(options)
        let warnings = log.warnings(options)
        // A lost comparison means that the release went on meanwhile: look again, then decide again.
        for _ in 0..<Self.attempts {
            let outcome = try await attempt(verb, on: key, warnings, options, by: caller, recording: record)
            if let outcome {
                FaultPoint.verbCommitted.reach()
                return outcome
            }
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
        if verb.name == .rollback && release.status.phase == .succeeded {
            return try await rollBackSuccess(of: row, verb, warnings, options, by: caller, recording: record)
        }
        let world = try await observe(release)
        let isStart = verb.name == .start || verb.name == .retry
        let effects = isStart || verb.movesUnsplit ? release.effects(in: world.rules) : []
        if isStart { try Self.check(effects, of: release, in: world.rules) }
        let plan = isStart || verb.name == .retryAnalysis ? try await copyTemplates(for: release) : nil
        let measured = isStart ? try await analysisWarnings(of: plan ?? AnalysisPlan(), in: release.mesh) : []
        let told =
            isStart
            ? effects.warnings + Self.warnings(of: release, effects, world) + measured
            : verb.movesUnsplit ? effects.filter { $0.atPromotion == .moves }.warnings : []
        let others = isStart ? try await replaced(by: release, caller) : []
        do {
            return try await transact(key.tenant, key.mesh, options, by: caller, recording: record) { transaction in
                try options.precondition.checkIfGiven(row.object)
                if isStart { try await self.checkTarget(of: release, in: transaction) }
                for (other, decision) in others {
                    let isWritten = try await transaction.commit(
                        decision, of: other, leaseEpoch: nil, actor: caller.description)
                    guard isWritten != nil else { throw SupersededDecision() }
                }
                let decision = try Self.decide(verb, by: ReleaseActor(caller), release, world)
                FaultPoint.verbDecided.reach()
                guard
                    let object = try await transaction.commit(
                        decision, of: row, copying: plan, leaseEpoch: nil, actor: caller.description,
                        isLast: options.isPlain)
                else { throw SupersededDecision() }
                return WrittenObject(object: object, created: false, warnings: warnings + told, operation: nil)
            }
        } catch is SupersededDecision {
            return nil
        }
    }

    /// The decisions about releases of the same service that give way to one that starts.
    ///
    /// - Throws: ``ControlError/forbidden(_:)`` if the caller may not roll them back.
    private func replaced(
        by release: StoredRelease, _ caller: Caller
    ) async throws -> [(ReleaseRow, ReleaseDecision)] {
        guard release.spec.supersedePolicy == .replace else { return [] }
        var decisions: [(ReleaseRow, ReleaseDecision)] = []
        for key in try await translatingErrors({ try await store.activeReleases(of: release.serviceKey) })
        where key != release.key {
            try authorise(caller, .custom("rollback", of: .release), in: ObjectScope(key))
            guard let row = try await translatingErrors({ try await store.release(key) }) else { continue }
            let other = try StoredRelease(row)
            guard other.status.ending != .superseded else { continue }
            let world = try await observe(other)
            let decision = ReleaseMachine.supersede(
                by: release.name.name, spec: other.spec, status: other.status, observations: world.observations,
                now: world.now)
            if let decision { decisions.append((row, decision)) }
        }
        return decisions
    }

    /// The templates that the release goes by from now on.
    private func copyTemplates(for release: StoredRelease) async throws -> AnalysisPlan {
        let log = ViolationLog()
        let plan = try await translatingErrors {
            try await analysisPlan(
                of: release.spec, in: release.name.namespace, release.mesh, at: JSONPointer.spec, log: log)
        }
        guard log.violations.isEmpty else { throw ControlError.invalid(log.violations) }
        return plan
    }

    /// Warnings of consequences that a start has besides its effects on single rules.
    private static func warnings(
        of release: StoredRelease, _ effects: [RouteEffect], _ world: ReleaseWorld
    ) -> [Violation] {
        var warnings = release.spec.warnings(at: JSONPointer.spec)
        if !effects.contains(where: \.divides) {
            warnings.append(
                Violation(
                    .root, .consequence,
                    "there is nothing to split: the release pauses until there is a rule whose requests "
                        + "\(release.spec.stable.version) and \(release.spec.canary.version) can share"))
        }
        if world.observations.stableVersion == nil {
            let change: (inout ServiceStatus) -> Void = {
                $0.apply(.setStable(release.spec.stable.version), by: release.name.name)
            }
            warnings += world.rules.state.moves(of: release.service, when: change).warnings
        }
        return warnings
    }

    /// The compare-and-swap failed: another writer changed the release first.
    struct SupersededDecision: Error {}

    static func decide(
        _ verb: ReleaseVerb, by actor: ReleaseActor, _ release: StoredRelease, _ world: ReleaseWorld
    ) throws -> ReleaseDecision {
        do {
            return try ReleaseMachine.apply(
                verb, by: actor, spec: release.spec, status: release.status, observations: world.observations,
                now: world.now)
        } catch {
            var members: [String: JSONValue] = [
                "allowedActions": .array(error.allowedActions.map { .string($0.rawValue) }),
                "phase": .string(error.phase.rawValue),
            ]
            if let step = error.currentStep { members["currentStep"] = .integer(Int64(step)) }
            throw ControlError.conflict(.init(error.code.rawValue, error.detail, members: members))
        }
    }

    /// Checks that the rules are fit for a start. They may be edited afterwards.
    private static func check(_ effects: [RouteEffect], of release: StoredRelease, in rules: RuleIndex) throws {
        let pointer = JSONPointer.spec
        let unknown = release.spec.unknownRules(in: rules, namespace: release.name.namespace, at: pointer)
        guard unknown.isEmpty else { throw ControlError.invalid(unknown) }
        let excess = release.spec.excess(in: rules, as: release.name, at: pointer)
        guard excess.isEmpty else { throw ControlError.invalid(excess) }
        let hashed = release.spec.stickinessConflicts(effects, at: pointer)
        guard hashed.isEmpty else { throw ControlError.invalid(hashed) }
        let byHand = effects.compactMap { effect in
            effect.canaryWeightPointer.map { pointer in
                Violation(
                    pointer, .conflict,
                    "\(effect.place) gives \(release.spec.canary.version) requests by hand; the release would take them "
                        + "away, and a rollback would give them back")
            }
        }
        guard byHand.isEmpty else {
            throw ControlError.conflict(
                .init(
                    "canaryWeight",
                    "rules that the release would split give its canary requests already: leave them to it",
                    errors: byHand))
        }
    }

    /// The service may have changed since the release was written.
    func checkTarget(of release: StoredRelease, in transaction: StoreTransaction) async throws {
        let key = release.serviceKey
        // Locked, so that no version goes away before the start is committed.
        let service = try await transaction.fetch(key, forUpdate: true)
        guard let service = service.flatMap({ ServiceSpec.read($0.spec, at: .root, log: ViolationLog(ofStored: true)) })
        else {
            throw ControlError.conflict(.init("targetMissing", "there is no service \(release.spec.service)"))
        }
        let log = ViolationLog()
        release.spec.check(against: service, at: JSONPointer.spec, log: log)
        guard log.violations.isEmpty else {
            throw ControlError.conflict(
                .init("targetMissing", "the service lacks what the release names", errors: log.violations))
        }
    }
}

extension ReleaseVerb {
    /// Whether it acknowledges that the promotion moves what the release did not split.
    fileprivate var movesUnsplit: Bool { name == .promote }

    /// The permission that a caller needs for the verb.
    var permission: Permission {
        if case .promote(.full, _, _) = self { return .custom("promoteFull", of: .release) }
        return name.permission
    }
}

extension ReleaseActor {
    /// A caller, as plans know people: by the owner of the key, its groups and its role.
    init(_ caller: Caller) {
        func may(_ verb: String) -> Bool { Permission.custom(verb, of: .release).roles.contains(caller.role) }
        self.init(
            person: caller.person, groups: caller.groups.union([caller.role.rawValue]), mayPromote: may("promote"),
            maySkipApproval: may("skipApproval"))
    }
}

extension ReleaseVerb.Name {
    /// The permission that a caller needs for the verb at least; `promote` to `full` needs another one.
    package var permission: Permission { .custom(self == .retry ? "start" : rawValue, of: .release) }
}
