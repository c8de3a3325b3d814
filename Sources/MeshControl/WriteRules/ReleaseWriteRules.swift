internal import Documents
internal import GrayRelease
internal import MeshCore
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
        var status = ReleaseStatus()
        if let old = write.old {
            status = ReleaseStatus(old.status)
            if let oldSpec = write.oldSpec(as: ReleaseSpec.self) {
                spec.check(replacing: oldSpec, at: status, pointer, log: write.log)
                if status.phase.isActive { try await copyTemplates(for: spec, after: oldSpec, write, in: transaction) }
            }
            return try await write.put(spec, in: transaction)
        }
        return try await write.put(spec, status: status.json, in: transaction)
    }

    /// Copies the templates of analyses that a running release did not have before.
    private func copyTemplates(
        for spec: ReleaseSpec, after old: ReleaseSpec, _ write: PlannedWrite, in transaction: StoreTransaction
    ) async throws {
        guard spec.strategy.steps != old.strategy.steps, write.log.violations.isEmpty,
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
