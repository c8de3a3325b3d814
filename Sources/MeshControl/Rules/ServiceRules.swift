internal import MeshModel
internal import MeshStore

struct ServiceRules: ObjectRules {
    var read: Permission { .readServices }
    var write: Permission { .writeServices }

    func carryOut(_ write: PlannedWrite, in transaction: StoreTransaction) async throws -> WrittenObject {
        let spec = try write.spec(as: ServiceSpec.self)
        if let old = write.oldSpec(as: ServiceSpec.self) {
            try await checkUsers(of: spec, replacing: old, write, in: transaction)
        }
        return try await write.put(spec, in: transaction)
    }

    /// What endpoints and running releases name must stay.
    private func checkUsers(
        of spec: ServiceSpec, replacing old: ServiceSpec, _ write: PlannedWrite, in transaction: StoreTransaction
    ) async throws {
        let removed = Set(old.versions.map(\.name)).subtracting(spec.versions.map(\.name))
        let ports = Set(old.ports.map(\.number)).subtracting(spec.ports.filter(\.appProtocol.isHTTP).map(\.number))
        guard !removed.isEmpty || !ports.isEmpty else { return }
        var conflicts: [Violation] = []
        let versions = PlannedWrite.specPointer.appending("versions")
        if !removed.isEmpty {
            for endpoint in try await transaction.endpointSpecs(of: write.key) {
                guard let version = endpoint.spec.version, removed.contains(version) else { continue }
                let detail = "version \(version) cannot be removed: endpoint \(endpoint.key.name) runs it"
                conflicts.append(Violation(versions, .conflict, detail))
            }
        }
        for (key, release) in try await transaction.activeReleaseSpecs(of: write.key) {
            for version in [release.stable.version, release.canary.version] where removed.contains(version) {
                conflicts.append(
                    Violation(
                        versions, .conflict, "version \(version) cannot be removed: release \(key.name) is about it"))
            }
            let isLast = !release.ports(in: old).isEmpty && release.ports(in: spec).isEmpty
            for port in ports.sorted() where release.namedPorts.contains(port) || isLast {
                conflicts.append(
                    Violation(
                        PlannedWrite.specPointer.appending("ports"), .conflict,
                        "HTTP port \(port) cannot be removed: release \(key.name) moves its traffic"))
            }
        }
        guard conflicts.isEmpty else {
            throw ControlError.conflict(
                ControlError.Conflict(
                    "inUse", "what endpoints or running releases name cannot be removed", errors: conflicts))
        }
    }

    func checkDeletion(of object: StoredObject, in transaction: StoreTransaction) async throws {
        var users = try await transaction.activeReleases(of: object.key).map(\.key)
        users += try await transaction.endpoints(of: object.key).map(\.key)
        guard users.isEmpty else { throw ControlError.conflict(.inUse(object.key, by: users)) }
    }
}
