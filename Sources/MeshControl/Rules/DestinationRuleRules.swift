internal import MeshCompiler
internal import MeshModel
internal import MeshStore

struct DestinationRuleRules: ObjectRules {
    var read: Permission { .readDestinationRules }
    var write: Permission { .writeDestinationRules }

    /// What the compiler would have to leave out is refused.
    func carryOut(_ write: PlannedWrite, in transaction: StoreTransaction) async throws -> WrittenObject {
        let spec = try write.spec(as: DestinationRuleSpec.self)
        guard let name = write.key.namespacedName else { throw ControlError.fault("\(write.key) has no namespace") }
        let state = try await transaction.services(named: [spec.host], from: name.namespace, in: write.mesh())
        for violation in spec.violations(named: name, services: state.services, at: PlannedWrite.specPointer) {
            write.log.report(violation)
        }
        return try await write.put(spec, in: transaction)
    }

    func checkDeletion(of object: StoredObject, in transaction: StoreTransaction) async throws {}
}
