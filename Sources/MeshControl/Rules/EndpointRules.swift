internal import Documents
internal import MeshCore
internal import MeshModel
internal import MeshStore

struct EndpointRules: ObjectRules {
    func carryOut(_ write: PlannedWrite, in transaction: StoreTransaction) async throws -> WrittenObject {
        let spec = try write.spec(as: EndpointSpec.self)
        guard let service = write.key.namespacedName else { throw ControlError.fault("\(write.key) has no service") }
        let serviceKey = ObjectKey.namespaced(.service, service, in: try write.mesh())
        let clusterKey = ObjectKey.cluster(spec.cluster, of: write.key.tenant)
        // It takes as long as there are endpoints, and nobody has to wait for it.
        let neighbours = try await neighbours(of: spec, write, in: transaction)
        // Held, so that neither can be deleted, nor a version removed, before this write is committed. Other endpoints' writes
        // hold them too.
        guard let parent = try await transaction.fetchHolding(serviceKey) else {
            throw ControlError.notFound(serviceKey.described)
        }
        let pointer = PlannedWrite.specPointer
        if try await transaction.fetchHolding(clusterKey) == nil {
            write.log.report(pointer.appending("cluster"), .unknownReference, "there is no cluster \(spec.cluster)")
        }
        if let service: ServiceSpec = parent.noun() {
            check(spec, against: service, write.log)
            warn(of: spec, beside: neighbours, write, service)
        }
        return try await write.put(spec, in: transaction)
    }

    /// Endpoints that are in the way of one that is new, or changes so that there may be some.
    private func neighbours(
        of spec: EndpointSpec, _ write: PlannedWrite, in transaction: StoreTransaction
    ) async throws -> [StoredSpec] {
        if let old = write.oldSpec(as: EndpointSpec.self), old.address == spec.address, old.ports == spec.ports,
            old.sidecar == spec.sidecar, old.cluster == spec.cluster
        {
            return []
        }
        return try await transaction.endpoints(
            besides: write.key, at: spec.address, orBehind: spec.sidecar?.proxy)
    }

    /// Two endpoints at one address count once, and a sidecar stands in front of one.
    private func warn(
        of spec: EndpointSpec, beside others: [StoredSpec], _ write: PlannedWrite, _ service: ServiceSpec
    ) {
        let proxy = spec.sidecar?.proxy
        for other in others {
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
}
