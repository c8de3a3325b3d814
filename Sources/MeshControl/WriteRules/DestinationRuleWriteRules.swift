internal import Documents
internal import MeshCompiler
internal import MeshCore
internal import MeshModel
internal import MeshStore

struct DestinationRuleWriteRules: ObjectWriteRules {
    var needsMesh: Bool { true }

    /// Refuses a rule that the compiler would have to leave out, whole or in part, and writes any other.
    func carryOut(_ write: PlannedWrite, in transaction: StoreTransaction) async throws -> WrittenObject {
        let spec = try write.spec(as: DestinationRuleSpec.self)
        guard let name = write.key.namespacedName else { throw ControlError.fault("\(write.key) has no namespace") }
        let state = try await write.meshState(in: transaction)
        var names = StateNames(state)
        for violation in spec.violations(named: name, in: &names, at: JSONPointer.spec) {
            write.log.report(violation)
        }
        try write.log.check(write.options)
        if let host = names.host(spec.host, from: name.namespace), let owner = names.destinationRule(for: host),
            owner != name
        {
            let detail = "DestinationRule \(owner) holds for \(host.noun) \(host), and there can be only one"
            let pointer = JSONPointer.spec.appending("host")
            throw ControlError.owned(
                .owned(detail, by: owner, .destinationRule, errors: [Violation(pointer, .conflict, detail)]))
        }
        let run = write.dryRun(in: state) { state, change in
            let old = state.destinationRules[name]
            state.destinationRules[name] = MeshState.Policies(
                spec: spec, createTime: old?.createTime ?? Timestamp(microseconds: .max))
            change.destinationRules = [name]
        }
        return try await write.put(spec, found: write.warn(of: run), in: transaction)
    }

    /// Locks the object that defines the host, so that of two writers who want one host, the second one sees that the
    /// first one has it. A host of another namespace is refused later.
    func prepare(_ write: PlannedWrite, in transaction: StoreTransaction) async throws {
        guard let base = write.base else { throw ControlError.fault("\(write.key) is written without its mesh") }
        // This replica may not know the host yet, so what is stored has the last word.
        var definition = try definition(of: write, in: base)
        if definition == nil {
            definition = try self.definition(of: write, in: await write.meshState(in: transaction))
        }
        if let definition { try await transaction.lock([definition]) }
    }

    /// The object that defines the host of a rule; `nil` if there is none, or another namespace's.
    private func definition(of write: PlannedWrite, in state: MeshState) throws -> ObjectKey? {
        let spec = try write.spec(as: DestinationRuleSpec.self)
        var names = StateNames(state)
        guard let namespace = write.key.namespace, let host = names.host(spec.host, from: namespace),
            host.namespace == namespace
        else { return nil }
        return names.definingObject(of: host, in: state.mesh)
    }

    /// Without it, what rules name as a subset means the version of that name, or nothing: then their requests would get 503.
    func checkDeletion(of object: StoredObject, in transaction: StoreTransaction) async throws {
        guard let spec: DestinationRuleSpec = object.decodedSpec(), let namespace = object.key.namespace,
            let mesh = object.key.meshKey, let service = HostName.service(spec.host, from: namespace),
            // Another namespace's is not this rule's to decide about, so by that name it means another host.
            service.namespace == namespace
        else { return }
        let key = ObjectKey.namespaced(.service, service, in: mesh)
        // Rules that are being written hold what they send requests to: they are waited for, and wait.
        guard let stored: ServiceSpec = try await transaction.fetch(key, forUpdate: true)?.decodedSpec() else { return }
        let subsets = Set(
            spec.subsets.filter { subset in
                let version = subset.version(in: stored)
                return version != nil && version != subset.name
            }.map(\.name))
        let users = try await transaction.referrers(
            ReferrerQuery(
                to: key, parts: subsets.map { .subset($0) }, onePerObject: true, limit: ControlError.Conflict.shown + 1)
        )
        try users.check(object.key)
    }
}
