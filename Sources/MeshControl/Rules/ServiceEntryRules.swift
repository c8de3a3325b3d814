internal import Documents
internal import MeshCompiler
internal import MeshCore
internal import MeshModel
internal import MeshStore

struct ServiceEntryRules: ObjectRules {
    var needsMesh: Bool { true }

    func carryOut(_ write: PlannedWrite, in transaction: StoreTransaction) async throws -> WrittenObject {
        let spec = try write.spec(as: ServiceEntrySpec.self)
        guard let name = write.key.namespacedName else { throw ControlError.fault("\(write.key) has no namespace") }
        let state = try await write.meshState(in: transaction)
        checkServices(spec, in: name.namespace, state, write.log)
        let mesh = try write.mesh()
        let stored = try await transaction.fetch([.mesh(mesh.mesh, of: mesh.tenant)]).first
        if let mesh: MeshSpec = stored?.noun(), !mesh.allowsPrivateHosts { checkAddresses(spec, write.log) }
        try write.log.check(write.options)
        try checkOwners(spec, of: name, in: state)
        let run = write.dryRun(in: state) { state, change in
            // As if it were written now: younger than everything.
            let age = state[ServiceEntrySpec.self][name]?.first?.createTime ?? Timestamp(microseconds: .max)
            state[ServiceEntrySpec.self][name] = spec.definitions(in: name.namespace, createTime: age)
            change[.serviceEntry] = [name]
        }
        return try await write.put(spec, found: write.warn(of: run), in: transaction)
    }

    /// A service's short names are its own, but for a namespace that means another host by one itself.
    private func checkServices(_ spec: ServiceEntrySpec, in namespace: Name, _ state: MeshState, _ log: ViolationLog) {
        guard spec.export(from: namespace) != .namespaces([namespace]) else { return }
        for (index, host) in spec.hosts.enumerated() {
            guard let service = HostName.service(host, from: namespace), service.namespace != namespace,
                state.services[service] != nil
            else { continue }
            log.report(
                PlannedWrite.specPointer.appending("hosts").appending(index), .conflict,
                "is the name of service \(service), of another namespace; with exportTo [\".\"] it can be had for this one alone"
            )
        }
    }

    private func checkAddresses(_ spec: ServiceEntrySpec, _ log: ViolationLog) {
        let rule = "the mesh forbids it with spec.allowPrivateHosts"
        if spec.resolution != .endpoints {
            log.report(
                PlannedWrite.specPointer.appending("resolution"), .invalidValue,
                "DNS may answer with private addresses, and \(rule)")
        }
        for (index, endpoint) in spec.endpoints.enumerated() where IPAddress.isPrivate(endpoint.address) {
            log.report(
                PlannedWrite.specPointer.appending("endpoints").appending(index).appending("address"), .invalidValue,
                "is a private address, and \(rule)")
        }
    }

    /// A host has one definition in a namespace.
    private func checkOwners(_ spec: ServiceEntrySpec, of name: NamespacedName, in state: MeshState) throws {
        var names = StateNames(state)
        for (index, host) in spec.hosts.enumerated() {
            guard let owner = names.definition(of: .external(host, of: name.namespace)), owner.object != name else {
                continue
            }
            let detail =
                "\(owner.kind) \(owner.object) defines the host \(host), and there can be only one in a namespace"
            let pointer = PlannedWrite.specPointer.appending("hosts").appending(index)
            throw ControlError.owned(
                .owned(detail, by: owner.object, owner.kind, errors: [Violation(pointer, .conflict, detail)]))
        }
    }
}
