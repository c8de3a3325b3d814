internal import Documents
internal import GrayRelease
internal import MeshCompiler
internal import MeshCore
internal import MeshModel
internal import MeshStore

struct VirtualServiceWriteRules: ObjectWriteRules {
    var needsMesh: Bool { true }

    /// Refuses rules that the compiler would have to leave out, and stores early spellings as they are written today.
    func carryOut(_ write: PlannedWrite, in transaction: StoreTransaction) async throws -> WrittenObject {
        let spec = try write.spec(as: VirtualServiceSpec.self)
        guard let name = write.key.namespacedName else { throw ControlError.fault("\(write.key) has no namespace") }
        let state = try await write.meshState(in: transaction)
        let owners = try checkRights(in: state, write)
        let check = VirtualServiceCheck(spec, named: name, in: state, at: JSONPointer.spec)
        for violation in check.violations { write.log.report(violation) }
        for warning in check.warnings { write.log.warn(warning.pointer, warning.code, warning.detail) }
        if let excess = write.excess(of: check.spec, named: name, in: state) { write.log.report(excess) }
        try write.log.check(write.options)
        if spec.appliesToSidecars { try checkOwners(of: spec.hosts, owners, name, in: state) }
        let write = write.settingAside(try NamedHosts(write, in: state).meaningOthers)
        let run = write.dryRun(in: state) { state, change in
            // As if it were written now: younger and newer than everything.
            let old = state.virtualServices[name]
            state.virtualServices[name] = MeshState.Rules(
                spec: check.spec,
                createTime: old?.createTime ?? Timestamp(microseconds: .max))
            change.virtualServices = [name]
        }
        // Before the mesh is locked, which is with the write.
        let waiting = try await waitingReleases(of: check.spec, named: name, in: state, transaction)
        let consequences = ControlPlane.releaseWarnings(about: check.spec, named: name, in: state, waiting)
        var written = try await write.put(check.spec, found: write.warn(of: run), in: transaction)
        written.warnings += consequences
        return written
    }

    /// The active releases that change no route yet, of services that the rules are about or send to, with their
    /// traffic.
    private func waitingReleases(
        of spec: VirtualServiceSpec, named name: NamespacedName, in state: MeshState, _ transaction: StoreTransaction
    ) async throws -> [NamespacedName: ReleaseTraffic] {
        let own = spec.hosts.compactMap { HostName.service($0, from: name.namespace) }
        var waiting: [NamespacedName: ReleaseTraffic] = [:]
        for service in spec.destinations(from: name.namespace).union(own).sorted() {
            for release in try await transaction.activeReleases(of: .namespaced(.service, service, in: state.mesh)) {
                guard let other = release.key.namespacedName, state.releases[other] == nil,
                    let plan: ReleaseSpec = release.decodedSpec()
                else { continue }
                waiting[other] = plan.traffic(in: other.namespace)
            }
        }
        return waiting
    }

    /// Locks the objects that define the hosts, so that of two writers who want one host the second one sees that the first one has
    /// it. Rows of a stranger's hosts are locked for nobody who may not decide about them. This replica may not know yet what defines
    /// a host, or who has been let in, so what is stored has the last word.
    func prepare(_ write: PlannedWrite, in transaction: StoreTransaction) async throws {
        guard let base = write.base else { throw ControlError.fault("\(write.key) is written without its mesh") }
        var named = try NamedHosts(write, in: base)
        let foreign = Set(named.hosts.map(\.host).filter { $0.namespace != write.key.namespace })
        let isUnknown = !named.hosts.allSatisfy { named.existing.contains($0.host) }
        if try isUnknown || (!foreign.isEmpty && !isLetIn(write, in: base)) {
            let state = try await write.meshState(in: transaction)
            _ = try checkRights(in: state, write)
            named = try NamedHosts(write, in: state)
        }
        try await transaction.lock(Set(named.definitions))
    }

    private func isLetIn(_ write: PlannedWrite, in state: MeshState) throws -> Bool {
        do {
            _ = try checkRights(in: state, write)
            return true
        } catch is ControlError {
            return false
        }
    }

    /// Checks that the caller may write VirtualServices in the namespace of each host, or that the host's owner lets
    /// the VirtualService's namespace in. A host that does not exist needs no right.
    ///
    /// - Returns: whose the hosts are.
    private func checkRights(in state: MeshState, _ write: PlannedWrite) throws -> [Host: HostOwnership] {
        let named = try NamedHosts(write, in: state)
        let owners = HostOwnership.all(of: Set(named.hosts.map(\.host)), in: state)
        for (pointer, host) in named.hosts
        where named.existing.contains(host) && owners[host]?.letsIn(write.key.namespace ?? .blank) != true {
            try write.checkRight(in: host.namespace, pointer)
        }
        return owners
    }

    private func checkOwners(
        of hosts: [String], _ owners: [Host: HostOwnership], _ name: NamespacedName, in state: MeshState
    ) throws {
        var names = StateNames(state)
        var conflicts: [Violation] = []
        var owner: NamespacedName?
        for (index, host) in hosts.enumerated() {
            guard let host = names.host(host, from: name.namespace), let ownership = owners[host],
                let detail = ownership.objection(to: name)
            else {
                continue
            }
            let pointer = JSONPointer.spec.appending("hosts").appending(index)
            conflicts.append(Violation(pointer, .conflict, detail))
            owner = owner ?? (ownership.letsIn(name.namespace) ? ownership.holder : ownership.owner)
        }
        guard let first = conflicts.first else { return }
        throw ControlError.owned(.owned(first.detail, by: owner, .virtualService, errors: conflicts))
    }
}

/// The hosts that the texts of a VirtualService mean in a mesh.
private struct NamedHosts {
    /// Each of its hosts, and where it stands.
    private(set) var hosts: [(pointer: JSONPointer, host: Host)] = []
    /// The hosts of ``hosts`` that exist, as far as the state says.
    private(set) var existing: Set<Host> = []
    /// The objects that define the existing hosts: services, and others.
    private(set) var definitions: [ObjectKey] = []
    /// The places of texts that could be services' names and mean other hosts.
    private(set) var meaningOthers: Set<JSONPointer> = []

    init(_ write: PlannedWrite, in state: MeshState) throws {
        let spec = try write.spec(as: VirtualServiceSpec.self)
        guard let name = write.key.namespacedName else { throw ControlError.fault("\(write.key) has no namespace") }
        var names = StateNames(state)
        for (index, text) in spec.hosts.enumerated() {
            guard let host = names.host(text, from: name.namespace) else { continue }
            hosts.append((.spec.appending("hosts").appending(index), host))
            guard let definition = names.definingObject(of: host, in: state.mesh) else { continue }
            existing.insert(host)
            definitions.append(definition)
        }
        for (pointer, destination) in spec.places {
            guard let host = names.host(destination.host, from: name.namespace), host.service == nil else { continue }
            meaningOthers.insert(pointer)
        }
    }
}

extension ControlError.Conflict {
    /// Something that only one object may decide about belongs to another one.
    ///
    /// - Parameter owner: `nil`: to none that exists.
    static func owned(_ detail: String, by owner: NamespacedName?, _ kind: Kind, errors: [Violation]) -> Self {
        let member = owner.map { owner -> JSONValue in
            [
                "kind": .string(kind.name), "namespace": .string(owner.namespace.text),
                "name": .string(owner.name.text),
            ]
        }
        return Self("hostOwned", detail, errors: errors, members: member.map { ["owner": $0] } ?? [:])
    }
}
