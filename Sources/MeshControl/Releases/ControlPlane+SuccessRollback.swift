internal import Documents
internal import GrayRelease
internal import MeshCore
internal import MeshIdentity
internal import MeshModel
internal import MeshStore

/// The rollback of a release that has succeeded: a release of its own, which takes all traffic back in one step.
extension ControlPlane {
    /// Takes a success back: makes a release named `<name>-rollback-<n>` that gives everything to the former stable version, and
    /// starts it, in one transaction with what the success is told.
    ///
    /// It asks nobody and measures nothing: it takes the right to roll back alone, passes freeze windows, and only waits for endpoints of the
    /// version that is to take over, and for proxies.
    ///
    /// - Returns: the new release; `nil` if the old one was written meanwhile.
    /// - Throws: ``ControlError/conflict(_:)`` `notLatest` if another release has succeeded since, `rollbackWindow` if its time is over.
    func rollBackSuccess(
        of row: ReleaseRow, _ verb: ReleaseVerb, _ warnings: [Violation], _ options: WriteOptions, by caller: Caller,
        recording record: @escaping @Sendable (WrittenObject) -> StoredAnswer
    ) async throws -> Outcome<WrittenObject>? {
        let old = try StoredRelease(row)
        let world = try await observe(old)
        try Self.check(old, in: world)
        let actor = ReleaseActor(caller)
        let (spec, labels) = (old.spec.takingBack, row.object.metadata)
        do {
            return try await transact(old.mesh.tenant, old.mesh.mesh, options, by: caller, recording: record) {
                transaction in
                try options.precondition.checkIfGiven(row.object)
                try await self.checkTarget(of: old, in: transaction)
                let key = try await Self.freeName(after: old.key, in: transaction)
                var draft = ReleaseStatus()
                draft.people = ReleaseStatus.People(author: caller.person)
                draft.rollbackOf = old.key.name
                let object = try await transaction.put(
                    key, metadata: labels, spec: spec.json, status: draft.json, isNew: true)
                let fresh = ReleaseRow(created: object)
                let release = try StoredRelease(fresh)
                var around = world
                around.observations = world.rules.observations(of: release)
                let start = try Self.decide(.start(force: true), by: actor, release, around)
                let note = ReleaseMachine.noteRollback(
                    by: key.name, person: actor.person, verb.reason, spec: old.spec, status: old.status,
                    observations: world.observations, now: world.now)
                guard
                    try await transaction.commit(note, of: row, leaseEpoch: nil, actor: caller.description) != nil,
                    let started = try await transaction.commit(
                        start, of: fresh, leaseEpoch: nil, actor: caller.description, isLast: options.isPlain)
                else { throw SupersededDecision() }
                return WrittenObject(object: started, created: true, warnings: warnings, operation: nil)
            }
        } catch is SupersededDecision {
            return nil
        }
    }

    private static func check(_ release: StoredRelease, in world: ReleaseWorld) throws {
        let observed = world.observations
        guard observed.stableVersion == release.spec.canary.version,
            observed.promotions.last?.release == release.name.name, release.status.rolledBackBy == nil
        else {
            let other = observed.promotions.last?.release.map { ": the last one is \($0)" } ?? ""
            throw ControlError.conflict(
                .init("notLatest", "only the service's last success can be rolled back\(other)"))
        }
        let window = release.spec.rollbackWindow
        guard let end = release.status.lastTransitionTime, world.now - end <= window else {
            throw ControlError.conflict(
                .init("rollbackWindow", "a success can be rolled back for \(window.text) (rollbackWindow.duration)"))
        }
    }

    /// The first name of this form that is free.
    private static func freeName(after key: ObjectKey, in transaction: StoreTransaction) async throws -> ObjectKey {
        guard let mesh = key.meshKey, let namespace = key.namespace else {
            throw ControlError.fault("the release \(key) stands in no namespace")
        }
        for number in 1...99 {
            let suffix = "-rollback-\(number)"
            // A label of DNS: 63 characters, and no hyphen at its end.
            var base = String(key.name.text.prefix(63 - suffix.count))
            while base.hasSuffix("-") { base.removeLast() }
            guard let name = Name(base + suffix) else { continue }
            let candidate = ObjectKey.namespaced(.release, NamespacedName(namespace: namespace, name: name), in: mesh)
            if try await transaction.fetch(candidate, forUpdate: false) == nil { return candidate }
        }
        throw ControlError.conflict(
            .init("alreadyExists", "there are 99 rollbacks of \(key.name) already; delete some of them"))
    }
}

extension ReleaseSpec {
    /// The plan that gives everything that a success of this one moved to the former stable version.
    fileprivate var takingBack: ReleaseSpec {
        var plan = self
        (plan.stable, plan.canary) = (canary, stable)
        plan.strategy.type = .canary
        plan.strategy.steps = [ReleaseStep(.setWeight(.all))]
        plan.strategy.backgroundAnalysis = nil
        plan.strategy.postPromotionAnalysis = nil
        plan.startAt = nil
        plan.supersedePolicy = .reject
        // What the promotion moved at once goes back at once.
        plan.unsplit = .move
        return plan
    }
}

extension ReleaseVerb {
    fileprivate var reason: String? {
        if case .rollback(let reason, _) = self { reason } else { nil }
    }
}
