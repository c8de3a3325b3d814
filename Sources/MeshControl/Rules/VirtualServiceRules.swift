internal import MeshCompiler
internal import MeshModel
internal import MeshStore

struct VirtualServiceRules: ObjectRules {
    var read: Permission { .readVirtualServices }
    var write: Permission { .writeVirtualServices }

    /// What the compiler would have to leave out is refused; early spellings are stored as they are written today.
    func carryOut(_ write: PlannedWrite, in transaction: StoreTransaction) async throws -> WrittenObject {
        let spec = try write.spec(as: VirtualServiceSpec.self)
        guard let name = write.key.namespacedName else { throw ControlError.fault("\(write.key) has no namespace") }
        let hosts = spec.referencedHosts
        let state = try await transaction.services(named: hosts, from: name.namespace, in: write.mesh())
        let check = WriteCheck(spec, named: name, in: state, at: PlannedWrite.specPointer)
        for violation in check.violations { write.log.report(violation) }
        for warning in check.warnings { write.log.warn(warning.pointer, warning.code, warning.detail) }
        return try await write.put(check.spec, in: transaction)
    }

    func checkDeletion(of object: StoredObject, in transaction: StoreTransaction) async throws {}
}

extension StoreTransaction {
    /// The part of a mesh that references are checked against: every service that one of the hosts may mean.
    func services(named hosts: [String], from namespace: Name, in mesh: MeshKey) async throws -> MeshState {
        let names = Set(hosts.compactMap { HostName.service($0, from: namespace) })
        let objects = try await fetch(names.map { .namespaced(.service, $0, in: mesh) })
        var state = MeshState(mesh: mesh)
        _ = state.apply(StoredChanges(changed: objects))
        return state
    }
}

extension VirtualServiceSpec {
    /// Every host name that the rules mention.
    var referencedHosts: [String] {
        hosts
            + http.flatMap { rule in
                var hosts: [String] = []
                if case .route(let parts) = rule.action { hosts = parts.map(\.destination.host) }
                if let mirror = rule.mirror { hosts.append(mirror.destination.host) }
                return hosts
            }
    }
}
