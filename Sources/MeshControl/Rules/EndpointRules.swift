internal import MeshModel
internal import MeshStore

struct EndpointRules: ObjectRules {
    var read: Permission { .readEndpoints }
    var write: Permission { .writeEndpoints }

    func carryOut(_ write: PlannedWrite, in transaction: StoreTransaction) async throws -> WrittenObject {
        let spec = try write.spec(as: EndpointSpec.self)
        guard let service = write.key.namespacedName else { throw ControlError.fault("\(write.key) has no service") }
        let serviceKey = ObjectKey.namespaced(.service, service, in: try write.mesh())
        let clusterKey = ObjectKey.cluster(spec.cluster, of: write.key.tenant)
        // Locked, so that neither can be deleted, nor a version removed, before this write is committed.
        guard let parent = try await transaction.fetch(serviceKey, forUpdate: true) else {
            throw ControlError.notFound(serviceKey.described)
        }
        let pointer = PlannedWrite.specPointer
        if try await transaction.fetch(clusterKey, forUpdate: true) == nil {
            write.log.report(pointer.appending("cluster"), .unknownReference, "there is no cluster \(spec.cluster)")
        }
        if let service = ServiceSpec.read(parent.spec, at: .root, log: ViolationLog(ofStored: true)) {
            check(spec, against: service, write.log)
            try await warn(of: spec, write, service, in: transaction)
        }
        return try await write.put(spec, in: transaction)
    }

    /// Two endpoints at one address count once, and a sidecar stands in front of one.
    private func warn(
        of spec: EndpointSpec, _ write: PlannedWrite, _ service: ServiceSpec, in transaction: StoreTransaction
    ) async throws {
        let old = write.oldSpec(as: EndpointSpec.self)
        guard
            old == nil || old?.address != spec.address || old?.ports != spec.ports || old?.sidecar != spec.sidecar
                || old?.cluster != spec.cluster
        else { return }
        let proxy = spec.sidecar?.proxy
        for other in try await transaction.endpoints(besides: write.key, at: spec.address, orBehind: proxy) {
            guard let its: EndpointSpec = other.noun() else { continue }
            let ports = service.ports.filter { port in
                its.address == spec.address
                    && (its.ports[port.name] ?? port.number) == (spec.ports[port.name] ?? port.number)
            }
            if let port = ports.first {
                write.log.warn(
                    PlannedWrite.specPointer.appending("address"), .duplicateAddress,
                    "endpoint \(other.key.name) has this address too for port \(port.name): the two count once")
            }
            if let proxy, its.sidecar?.proxy == proxy {
                write.log.warn(
                    PlannedWrite.specPointer.appending("sidecar").appending("proxy"), .duplicateAddress,
                    "proxy \(proxy) already stands in front of endpoint \(other.key.name): it can have one workload a port"
                )
            }
        }
    }

    private func check(_ spec: EndpointSpec, against service: ServiceSpec, _ log: ViolationLog) {
        let pointer = PlannedWrite.specPointer
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

    func checkDeletion(of object: StoredObject, in transaction: StoreTransaction) async throws {}
}
