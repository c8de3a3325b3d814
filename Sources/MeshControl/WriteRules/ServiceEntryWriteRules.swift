internal import Documents
internal import MeshCompiler
internal import MeshCore
internal import MeshModel
internal import MeshStore

struct ServiceEntryWriteRules: ObjectWriteRules {
    var needsMesh: Bool { true }

    func carryOut(_ write: PlannedWrite, in transaction: StoreTransaction) async throws -> WrittenObject {
        let spec = try write.spec(as: ServiceEntrySpec.self)
        guard let name = write.key.namespacedName else { throw ControlError.fault("\(write.key) has no namespace") }
        let state = try await write.meshState(in: transaction)
        checkServices(spec, in: name.namespace, state, write.log)
        let mesh = try write.mesh()
        let stored = try await transaction.fetch([.mesh(mesh.mesh, of: mesh.tenant)]).first
        let allowed: MeshSpec? = stored?.decodedSpec()
        // Who cannot be asked has not allowed it.
        if allowed?.allowsPrivateHosts != true { checkAddresses(spec, write.log) }
        checkNumbers(spec, of: name, in: state, write.log)
        try write.log.check(write.options)
        try checkOwners(spec, of: name, in: state)
        // As if it were written now: younger than everything.
        let age = state[ServiceEntrySpec.self][name]?.first?.createTime ?? Timestamp(microseconds: .max)
        let definitions = spec.definitions(in: name.namespace, createTime: age)
        var changed = state
        changed[ServiceEntrySpec.self][name] = definitions
        if let excess = write.excess(ofRulesIn: changed, before: state) { write.log.report(excess) }
        try write.log.check(write.options)
        let run = write.dryRun(in: state) { state, change in
            state = changed
            change[.serviceEntry] = [name]
        }
        return try await write.put(spec, found: write.warn(of: run), in: transaction)
    }

    /// A service's short names are its own, but for a namespace that means another host by one itself.
    private func checkServices(_ spec: ServiceEntrySpec, in namespace: Name, _ state: MeshState, _ log: ViolationLog) {
        let isForOthers = spec.export(from: namespace) != .namespaces([namespace])
        for (index, host) in spec.hosts.enumerated() {
            guard let service = HostName.service(host, from: namespace), state.services[service] != nil else {
                continue
            }
            let pointer = JSONPointer.spec.appending("hosts").appending(index)
            if isForOthers && service.namespace != namespace {
                log.report(
                    pointer, .conflict,
                    "is the name of service \(service), of another namespace; with exportTo [\".\"] it can be had for this one alone"
                )
            } else {
                log.warn(
                    pointer, .consequence,
                    "callers and rules that say \"\(host)\" mean this host, and service \(service) by its other names alone"
                )
            }
        }
    }

    private func checkNumbers(
        _ spec: ServiceEntrySpec, of name: NamespacedName, in state: MeshState, _ log: ViolationLog
    ) {
        var names = StateNames(state)
        let limit = Limits.definitionsPerHost
        let own = Set((state[ServiceEntrySpec.self][name] ?? []).map(\.text))
        for (index, host) in spec.hosts.enumerated() where !own.contains(host) {
            let count = names.definitions(of: host).count + 1
            guard !limit.allows(count) else { continue }
            log.report(
                JSONPointer.spec.appending("hosts").appending(index), .tooMany,
                "this would be definition \(count) of the host; allowed are \(limit.rule)")
        }
    }

    private func checkAddresses(_ spec: ServiceEntrySpec, _ log: ViolationLog) {
        let rule = "the mesh forbids it with spec.allowPrivateHosts"
        if spec.resolution != .endpoints {
            log.report(
                JSONPointer.spec.appending("resolution"), .invalidValue,
                "DNS may answer with private addresses, and \(rule)")
        }
        for (index, endpoint) in spec.endpoints.enumerated() where IPAddress.isPrivate(endpoint.address) {
            log.report(
                JSONPointer.spec.appending("endpoints").appending(index).appending("address"), .invalidValue,
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
            let pointer = JSONPointer.spec.appending("hosts").appending(index)
            throw ControlError.owned(
                .owned(detail, by: owner.object, owner.kind, errors: [Violation(pointer, .conflict, detail)]))
        }
    }
}
