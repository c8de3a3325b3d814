internal import Documents
internal import MeshCompiler
internal import MeshCore
internal import MeshModel
internal import MeshStore

struct EndpointWriteRules: ObjectWriteRules {
    func carryOut(_ write: PlannedWrite, in transaction: StoreTransaction) async throws -> WrittenObject {
        let spec = try write.spec(as: EndpointSpec.self)
        guard let service = write.key.namespacedName else { throw ControlError.fault("\(write.key) has no service") }
        // Neither can be deleted, nor a version removed, before this write is committed. Other endpoints' writes hold them too.
        let parent = write.key.parent.flatMap { write.held[$0] }
        if let service: ServiceSpec = parent?.decodedSpec() { check(spec, against: service, write.log) }
        if let rivals = try await rivals(of: spec, write, in: transaction) {
            let cluster = write.held[.cluster(spec.cluster, of: write.key.tenant)]
            try warn(of: spec, of: service, beside: rivals + [parent, cluster].compactMap(\.self), write)
        }
        return try await write.put(spec, in: transaction)
    }

    /// Endpoints that want something that only one can have, an address or a port of a sidecar, and the services and clusters
    /// that they belong to.
    ///
    /// - Returns: `nil` if the endpoint goes on to have what it has.
    private func rivals(
        of spec: EndpointSpec, _ write: PlannedWrite, in transaction: StoreTransaction
    ) async throws -> [StoredObject]? {
        if let old = write.oldSpec(as: EndpointSpec.self), old.address == spec.address, old.ports == spec.ports,
            old.sidecar == spec.sidecar, old.cluster == spec.cluster
        {
            return nil
        }
        let endpoints = try await transaction.endpoints(
            besides: write.key, at: spec.address, orBehind: spec.sidecar?.proxy)
        let mesh = try write.mesh()
        var owners = Set(
            endpoints.compactMap(\.key.namespacedName).map { ObjectKey.namespaced(.service, $0, in: mesh) })
        for endpoint in endpoints {
            guard let spec: EndpointSpec = endpoint.decodedSpec() else { continue }
            owners.insert(.cluster(spec.cluster, of: write.key.tenant))
        }
        return try await endpoints + transaction.fetch(Array(owners))
    }

    /// Warns of what the compiler will leave out, of this endpoint or of others: who was there first keeps what it has.
    private func warn(
        of spec: EndpointSpec, of service: NamespacedName, beside rivals: [StoredObject], _ write: PlannedWrite
    ) throws {
        var state = MeshState(mesh: try write.mesh())
        _ = state.apply(rivals.inputs(for: state.mesh))
        if let old = write.old { _ = state.apply([old].inputs(for: state.mesh)) }
        let run = write.dryRun(in: state) { state, change in
            // As if it were written now: younger than everything.
            state.endpoints[service, default: [:]][write.key.name] = MeshState.Endpoint(
                spec: spec, createTime: write.old?.createTime ?? Timestamp(microseconds: .max))
            change.endpoints = [service]
        }
        _ = write.warn(of: run)
    }

    private func check(_ spec: EndpointSpec, against service: ServiceSpec, _ log: ViolationLog) {
        let pointer = JSONPointer.spec
        if let version = spec.version, !service.hasVersion(version) {
            log.report(
                pointer.appending("version"), .unknownReference, "the service has no version \(version)",
                choices: service.versions.map(\.name.text))
        }
        let known = service.ports.map(\.name)
        let choices = known.map(\.text)
        for name in spec.ports.keys.sorted() where !known.contains(name) {
            log.report(
                pointer.appending("ports").appending(name.text), .unknownReference, "the service has no port \(name)",
                choices: choices)
        }
        for name in (spec.sidecar?.workloadPorts.keys.sorted() ?? []) where !known.contains(name) {
            log.report(
                pointer.appending("sidecar").appending("workloadPorts").appending(name.text), .unknownReference,
                "the service has no port \(name)", choices: choices)
        }
    }
}
