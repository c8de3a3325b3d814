internal import Documents
internal import Egress
internal import GrayRelease
internal import MeshCore
internal import MeshIdentity
internal import MeshModel
internal import MeshStore

struct ReleaseWriteRules: ObjectWriteRules {
    func carryOut(_ write: PlannedWrite, in transaction: StoreTransaction) async throws -> WrittenObject {
        let spec = try write.spec(as: ReleaseSpec.self)
        guard let namespace = write.key.namespace else { throw ControlError.fault("\(write.key) has no namespace") }
        let serviceKey = ObjectKey.namespaced(
            .service, NamespacedName(namespace: namespace, name: spec.service), in: try write.mesh())
        let pointer = JSONPointer.spec
        let service = try await transaction.fetch(serviceKey, forUpdate: false)
        if let service = service.flatMap({ ServiceSpec.read($0.spec, at: .root, log: ViolationLog(ofStored: true)) }) {
            spec.check(against: service, at: pointer, log: write.log)
        } else {
            write.log.report(pointer.appending("service"), .unknownReference, "there is no service \(spec.service)")
        }
        for warning in spec.warnings(at: pointer) { write.log.warn(warning.pointer, warning.code, warning.detail) }
        try checkRights(spec, write)
        checkCalls(spec, write)
        try await checkChannels(spec, write, in: transaction)
        guard let old = write.old else {
            var status = ReleaseStatus()
            status.people = ReleaseStatus.People(author: write.caller.person)
            return try await write.put(spec, status: status.json, in: transaction)
        }
        guard let oldSpec = write.oldSpec(as: ReleaseSpec.self) else {
            return try await write.put(spec, in: transaction)
        }
        var status = ReleaseStatus(old.status)
        spec.check(replacing: oldSpec, at: status, pointer, log: write.log)
        guard !status.phase.isTerminal, spec.strategy.steps != oldSpec.strategy.steps else {
            return try await write.put(spec, in: transaction)
        }
        if status.phase.isActive { try await copyTemplates(for: spec, after: oldSpec, write, in: transaction) }
        status.noteEdit(by: ReleaseActor(write.caller))
        return try await write.put(spec, status: status.json, in: transaction)
    }

    /// Not to stand still in freeze windows takes the right to override them.
    private func checkRights(_ spec: ReleaseSpec, _ write: PlannedWrite) throws {
        let isNew = write.oldSpec(as: ReleaseSpec.self)?.respectsFreezeWindows ?? true
        guard !spec.respectsFreezeWindows, isNew else { return }
        try write.control.authorise(write.caller, .custom("overrideFreeze", of: .release), in: ObjectScope(write.key))
    }

    /// Reports addresses that are none; where they lead is looked at when they are called.
    private func checkCalls(_ spec: ReleaseSpec, _ write: PlannedWrite) {
        for (index, step) in spec.strategy.steps.enumerated() {
            guard case .webhook(let call) = step.action else { continue }
            do {
                _ = try EgressURL(call.url)
            } catch {
                let steps = JSONPointer.spec.appending("strategy").appending("steps")
                write.log.report(
                    steps.appending(index).appending("webhook").appending("url"), .invalidFormat, "\(error)")
            }
        }
    }

    /// Reports channels that do not exist. Later they are missed when they are to be told.
    private func checkChannels(
        _ spec: ReleaseSpec, _ write: PlannedWrite, in transaction: StoreTransaction
    ) async throws {
        let named = spec.channels
        let targets = Dictionary(
            write.references.filter { $0.target.kind == .notificationChannel }.map { ($0.pointer, $0.target) }
        ) { first, _ in first }
        let found = Set(try await transaction.fetch(Array(Set(targets.values))).map(\.key))
        for (pointer, name) in named where targets[pointer].map({ !found.contains($0) }) ?? true {
            write.log.report(pointer, .unknownReference, "there is no notification channel \(name)")
        }
    }

    /// Copies the templates of analyses that a running release did not have before.
    private func copyTemplates(
        for spec: ReleaseSpec, after old: ReleaseSpec, _ write: PlannedWrite, in transaction: StoreTransaction
    ) async throws {
        guard write.log.violations.isEmpty,
            let namespace = write.key.namespace,
            let row = try await write.control.store.release(write.key)
        else { return }
        var plan = try await write.control.analysisPlan(
            of: spec, in: namespace, write.mesh(), at: JSONPointer.spec, log: write.log)
        guard write.log.violations.isEmpty else { return }
        for (index, entries) in row.analysisPlan.steps
        where spec.strategy.steps.indices.contains(index) && old.strategy.steps.indices.contains(index)
            && spec.strategy.steps[index].analysis == old.strategy.steps[index].analysis
        {
            plan.steps[index] = entries
        }
        (plan.background, plan.postPromotion) = (row.analysisPlan.background, row.analysisPlan.postPromotion)
        try await transaction.copy(plan, for: write.key)
    }

    func checkDeletion(of object: StoredObject, in transaction: StoreTransaction) async throws {
        let status = ReleaseStatus(object.status)
        guard status.phase.isActive else { return }
        throw ControlError.conflict(
            ControlError.Conflict(
                "activeRelease",
                "the release \(object.key.name) is \(status.phase.rawValue); abort it or wait until it has ended",
                members: ["phase": .string(status.phase.rawValue)]))
    }
}
