internal import Documents
internal import MeshCore
internal import MeshModel
internal import MeshStore

/// A window's times are computed when it is written, by the database.
struct FreezeWindowWriteRules: ObjectWriteRules {
    func carryOut(_ write: PlannedWrite, in transaction: StoreTransaction) async throws -> WrittenObject {
        let spec = try write.spec(as: FreezeWindowSpec.self)
        if write.old == nil { try await checkNumber(write, in: transaction) }
        var times: FreezeTimes?
        if let cron = spec.cron, let duration = spec.duration, let zone = spec.timeZone {
            if let now = try await transaction.wallClock(in: zone) {
                times = cron.times(at: now, lasting: duration)
            } else {
                write.log.report(
                    JSONPointer.spec.appending("timeZone"), .unknownReference,
                    "must be the name of a time zone, such as Asia/Shanghai, Europe/Berlin or UTC")
            }
        }
        try await warnOfServices(spec, write, in: transaction)
        guard write.log.violations.isEmpty else { return try await write.put(spec, in: transaction) }
        let state = try await transaction.putFreezeTimes(of: write.key, spec, times, madeAt: write.old?.createTime)
        var written = try await write.put(spec, in: transaction)
        written.object.show(state)
        return written
    }

    private func checkNumber(_ write: PlannedWrite, in transaction: StoreTransaction) async throws {
        let limit = Limits.freezeWindowsPerNamespace
        // Of two who make one at the same time, the second counts the first one's.
        try await transaction.lock([.tenant(write.key.tenant)])
        let query = ListQuery(
            kind: .freezeWindow, tenant: write.key.tenant, mesh: write.key.mesh, namespace: write.key.namespace,
            pageSize: limit.value)
        let count = try await transaction.list(query).items.count + 1
        guard !limit.allows(count) else { return }
        write.log.report(
            .root, .tooMany, "this would be freeze window \(count) of the namespace; allowed are \(limit.rule)")
    }

    /// A window for services that are not there holds nothing up, which looks like one that does.
    private func warnOfServices(
        _ spec: FreezeWindowSpec, _ write: PlannedWrite, in transaction: StoreTransaction
    ) async throws {
        let found = Set(try await transaction.fetch(write.references.map(\.target)).map(\.key))
        for reference in write.references where !found.contains(reference.target) {
            write.log.warn(
                reference.pointer, .unknownReference, "there is no \(reference.target.described) in the namespace")
        }
    }
}

extension StoredObject {
    /// Shows whether a freeze window is in force, and when it is or will be.
    ///
    /// - Parameter state: `nil`: it is over.
    mutating func show(_ state: FreezeState?) {
        status = [
            "active": .bool(state?.isActive ?? false),
            "occurrence": state.map {
                ["from": .string($0.from.text), "until": $0.until.map { .string($0.text) } ?? .null]
            } ?? .null,
        ]
    }
}

extension ControlPlane {
    /// The objects; freeze windows with their state now.
    func showingFreezes(of objects: [StoredObject]) async throws -> [StoredObject] {
        guard objects.contains(where: { $0.key.kind == .freezeWindow }) else { return objects }
        var states: [ObjectKey: FreezeState] = [:]
        // A page may be of several tenants.
        for (_, objects) in Dictionary(grouping: objects, by: \.key.tenant) {
            let found = try await translatingErrors { try await store.freezeStates(of: objects.map(\.key)) }
            states.merge(found) { first, _ in first }
        }
        return objects.map { object in
            var object = object
            object.show(states[object.key])
            return object
        }
    }
}
