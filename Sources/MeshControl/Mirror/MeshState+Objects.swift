internal import Documents
internal import GrayRelease
internal import MeshCore
internal import MeshModel

/// What was stored and deleted, as ``MeshState/apply(_:)`` takes it.
///
/// Reading the documents is most of the work. It is done here, many at a time, so that a state that others wait for need not
/// be held meanwhile.
struct StoredChanges: Sendable {
    fileprivate let changed: [ReadObject]
    fileprivate let deleted: [ObjectKey]

    /// - Parameter changed: objects as they are stored now.
    init(changed: [StoredObject], deleted: [ObjectKey] = []) {
        self.changed = changed.mapInParallel(ReadObject.init)
        self.deleted = deleted
    }

    /// Those whose `spec` cannot be read, which should not be.
    var unreadable: [ObjectKey] {
        changed.filter { $0.noun == nil }.map(\.stored.key)
    }
}

extension MeshState {
    /// Takes in what is different in the store.
    ///
    /// An object that cannot be read is left as it was before, or out: one bad object never stops a mesh.
    ///
    /// - Returns: what has to be looked at again. Objects that say the same as before are not part of it.
    mutating func apply(_ changes: StoredChanges) -> MeshChange {
        var change = MeshChange()
        for key in changes.deleted { remove(key, &change) }
        for object in changes.changed { insert(object, &change) }
        return change
    }

    private mutating func remove(_ key: ObjectKey, _ change: inout MeshChange) {
        guard let name = key.namespacedName else {
            if key.kind == .cluster, enabledClusters.remove(key.name) != nil { change.everything = true }
            return
        }
        switch key.kind {
        case .service: if services.removeValue(forKey: name) != nil { change.services.insert(name) }
        case .virtualService:
            if virtualServices.removeValue(forKey: name) != nil { change.virtualServices.insert(name) }
        case .destinationRule:
            if destinationRules.removeValue(forKey: name) != nil { change.destinationRules.insert(name) }
        case .release: if releases.removeValue(forKey: name) != nil { change.releases.insert(name) }
        case .endpoint:
            guard endpoints[name]?.removeValue(forKey: key.name) != nil else { return }
            if endpoints[name]?.isEmpty == true { endpoints[name] = nil }
            change.endpoints.insert(name)
        default: break
        }
    }

    private mutating func insert(_ object: ReadObject, _ change: inout MeshChange) {
        let stored = object.stored
        let name = stored.key.namespacedName
        switch (object.noun, name) {
        case (let spec as ClusterSpec, _): insert(spec, of: stored.key.name, &change)
        case (let spec as ServiceSpec, let name?):
            let service = Service(spec: spec, status: ServiceStatus(stored.status), revision: stored.revision)
            let old = services.updateValue(service, forKey: name)
            if old?.spec != spec || old?.status != service.status { change.services.insert(name) }
        case (let spec as EndpointSpec, let service?):
            let endpoint = Endpoint(spec: spec, createTime: stored.createTime)
            let old = endpoints[service, default: [:]].updateValue(endpoint, forKey: stored.key.name)
            if old != endpoint { change.endpoints.insert(service) }
        case (let spec as VirtualServiceSpec, let name?):
            let rules = Rules(spec: spec, revision: stored.revision, createTime: stored.createTime)
            if virtualServices.updateValue(rules, forKey: name) != rules { change.virtualServices.insert(name) }
        case (let spec as DestinationRuleSpec, let name?):
            let policies = Policies(spec: spec, createTime: stored.createTime)
            if destinationRules.updateValue(policies, forKey: name) != policies {
                change.destinationRules.insert(name)
            }
        case (let spec as ReleaseSpec, let name?):
            let traffic = ReleaseStatus(stored.status).ownedTraffic(of: spec, in: name.namespace)
            if releases[name] != traffic { change.releases.insert(name) }
            releases[name] = traffic
        default: break
        }
    }

    private mutating func insert(_ spec: ClusterSpec, of name: Name, _ change: inout MeshChange) {
        let isEnabled = spec.mesh.map { $0.enabled && $0.mesh == mesh.mesh } ?? false
        guard isEnabled != enabledClusters.contains(name) else { return }
        if isEnabled { enabledClusters.insert(name) } else { enabledClusters.remove(name) }
        change.everything = true
    }
}

/// An object with its `spec` as its noun; `nil` if it cannot be read.
private struct ReadObject: Sendable {
    let stored: StoredObject
    let noun: (any ResourceKind)?

    init(_ object: StoredObject) {
        stored = object
        noun = Self.noun(of: object, as: object.key.kind.specType)
    }

    private static func noun<Noun: ResourceKind>(of object: StoredObject, as type: Noun.Type) -> (any ResourceKind)? {
        object.noun(as: type)
    }
}

extension StoredObject {
    /// The stored `spec` as its noun; `nil` if it cannot be read.
    func noun<Noun: Document>(as noun: Noun.Type = Noun.self) -> Noun? {
        Noun.read(spec, at: .root, log: ViolationLog(ofStored: true))
    }
}

extension MeshChange {
    /// Adds what another change wants to be looked at again.
    mutating func merge(_ other: MeshChange) {
        services.formUnion(other.services)
        endpoints.formUnion(other.endpoints)
        virtualServices.formUnion(other.virtualServices)
        destinationRules.formUnion(other.destinationRules)
        releases.formUnion(other.releases)
        everything = everything || other.everything
    }
}
