internal import Documents
internal import GrayRelease
internal import MeshCompiler
internal import MeshCore
internal import MeshModel
internal import MeshStore

struct ServiceWriteRules: ObjectWriteRules {
    /// The most references to removed versions that a refusal lists.
    private static let maxUsers = 100

    var needsMesh: Bool { true }

    func carryOut(_ write: PlannedWrite, in transaction: StoreTransaction) async throws -> WrittenObject {
        let spec = try write.spec(as: ServiceSpec.self)
        let old = write.oldSpec(as: ServiceSpec.self)
        // What only its labels are about concerns nobody.
        if spec == old { return try await write.put(spec, in: transaction) }
        guard let name = write.key.namespacedName else { throw ControlError.fault("\(write.key) has no namespace") }
        let state = try await write.meshState(in: transaction)
        if let old { try await checkUsers(of: spec, replacing: old, named: name, write, state, in: transaction) }
        if let excess = write.excess(of: spec, named: name, in: state) { write.log.report(excess) }
        try write.log.check(write.options)
        let run = write.dryRun(in: state) { state, change in
            state.services[name] = MeshState.Service(
                spec: spec, status: state.services[name]?.status ?? ServiceStatus())
            change.services = [name]
        }
        return try await write.put(spec, found: write.warn(of: run), in: transaction)
    }

    /// Refuses to remove versions and ports that endpoints, rules or active releases name, or the stable version.
    private func checkUsers(
        of spec: ServiceSpec, replacing old: ServiceSpec, named name: NamespacedName, _ write: PlannedWrite,
        _ state: MeshState, in transaction: StoreTransaction
    ) async throws {
        let removed = Set(old.versions.map(\.name)).subtracting(spec.versions.map(\.name))
        let ports = Set(old.ports.map(\.number)).subtracting(spec.ports.filter(\.appProtocol.isHTTP).map(\.number))
        guard !removed.isEmpty || !ports.isEmpty else { return }
        var conflicts: [Violation] = []
        if !removed.isEmpty {
            conflicts += try await users(of: removed, named: name, write, state, in: transaction).map { version, user in
                let detail = "version \(version) cannot be removed: \(user)"
                return Violation(JSONPointer.spec.appending("versions"), .conflict, detail)
            }
        }
        for (key, release) in try await activeReleases(of: write.key, in: transaction) {
            let isLast = !release.ports(in: old).isEmpty && release.ports(in: spec).isEmpty
            for port in ports.sorted() where release.namedPorts.contains(port) || isLast {
                conflicts.append(
                    Violation(
                        JSONPointer.spec.appending("ports"), .conflict,
                        "HTTP port \(port) cannot be removed: release \(key.name) moves its traffic"))
            }
        }
        guard conflicts.isEmpty else {
            throw ControlError.conflict(
                ControlError.Conflict(
                    "inUse", "what is in charge, or named by endpoints, rules or running releases, cannot be removed",
                    errors: conflicts))
        }
    }

    /// The users that keep versions of a service from being removed: one sentence for each user of each version.
    private func users(
        of versions: Set<Name>, named name: NamespacedName, _ write: PlannedWrite, _ state: MeshState,
        in transaction: StoreTransaction
    ) async throws -> [(version: Name, user: String)] {
        var users: [(version: Name, user: String)] = []
        if let stable = write.old.flatMap({ ServiceStatus($0.status).stableVersion }), versions.contains(stable) {
            users.append((stable, "it is the stable version; promote another one, or clearStable"))
        }
        for (key, release) in try await activeReleases(of: write.key, in: transaction) {
            for version in [release.stable.version, release.canary.version] where versions.contains(version) {
                users.append((version, "release \(key.name) is about it"))
            }
        }
        let subsets = state.subsets(of: name)
        let meaningThem = subsets.filter { versions.contains($0.value) }.keys
        let named = versions.map { Reference.Part.version($0) } + meaningThem.map { .subset($0) }
        let query = ReferrerQuery(to: write.key, parts: named, keeping: true, limit: Self.maxUsers)
        let page = try await transaction.referrers(query)
        for user in page.items {
            let version: Name? =
                switch user.part {
                case .version(let version): version
                case .subset(let subset): subsets[subset]
                case .key, nil: nil
                }
            guard let version else { continue }
            users.append((version, "\(user.object.placed) names it at \(user.pointer)"))
        }
        let others = page.unknown + (page.next == nil ? [] : ["more than \(Self.maxUsers) places"])
        for version in versions.sorted() { users += others.map { (version, "\($0) may name it") } }
        for (rule, version, pointer) in state.subsetDeclarations(of: name) where versions.contains(version) {
            users.append((version, "DestinationRule \(rule) has a subset of it at \(pointer)"))
        }
        return users
    }

    /// The active releases of a service whose specs can be read.
    private func activeReleases(
        of service: ObjectKey, in transaction: StoreTransaction
    ) async throws -> [(key: ObjectKey, spec: ReleaseSpec)] {
        try await transaction.activeReleases(of: service).compactMap { object in
            object.decodedSpec().map { (object.key, $0) }
        }
    }

    func checkDeletion(of object: StoredObject, in transaction: StoreTransaction) async throws {
        let users = try await transaction.activeReleases(of: object.key).map(\.key)
        guard users.isEmpty else { throw ControlError.conflict(.inUse(object.key, by: users)) }
    }
}
