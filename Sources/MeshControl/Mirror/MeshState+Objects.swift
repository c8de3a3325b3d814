internal import MeshModel

extension MeshState {
    /// Takes in objects as they are stored now.
    ///
    /// An object that cannot be read is left as it was before, or out: one bad object never stops a mesh.
    ///
    /// - Parameter unreadable: called for every such object.
    /// - Returns: what has to be looked at again. Objects that say the same as before are not part of it.
    mutating func apply(
        changed: [StoredObject], deleted: [ObjectKey], unreadable: (ObjectKey) -> Void
    ) -> MeshChange {
        var change = MeshChange()
        let read = changed.mapInParallel { ReadObject($0) }
        for key in deleted { remove(key, &change) }
        // Services first: a release that leaves its port open gets it from its service.
        for object in read where object.key.kind == .service { insert(object, &change, unreadable) }
        for object in read where object.key.kind != .service { insert(object, &change, unreadable) }
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
        case .tenant, .cluster: break
        }
    }

    private mutating func insert(_ object: ReadObject, _ change: inout MeshChange, _ unreadable: (ObjectKey) -> Void) {
        let isReadable =
            switch object.key.kind {
            case .tenant: true
            case .cluster: insertCluster(object, &change)
            case .service: insertService(object, &change)
            case .endpoint: insertEndpoint(object, &change)
            case .virtualService: insertRules(object, &change)
            case .destinationRule: insertPolicies(object, &change)
            case .release: insertRelease(object, &change)
            }
        if !isReadable { unreadable(object.key) }
    }

    private mutating func insertCluster(_ object: ReadObject, _ change: inout MeshChange) -> Bool {
        guard let spec: ClusterSpec = object.spec() else { return false }
        let isEnabled = spec.mesh.map { $0.enabled && $0.mesh == mesh.mesh } ?? false
        let wasEnabled = enabledClusters.contains(object.key.name)
        guard isEnabled != wasEnabled else { return true }
        if isEnabled { enabledClusters.insert(object.key.name) } else { enabledClusters.remove(object.key.name) }
        change.everything = true
        return true
    }

    private mutating func insertService(_ object: ReadObject, _ change: inout MeshChange) -> Bool {
        guard let name = object.key.namespacedName, let spec: ServiceSpec = object.spec() else { return false }
        let service = Service(spec: spec, status: ServiceStatus(object.status), revision: object.revision)
        let old = services.updateValue(service, forKey: name)
        if old?.spec != service.spec || old?.status != service.status { change.services.insert(name) }
        return true
    }

    private mutating func insertEndpoint(_ object: ReadObject, _ change: inout MeshChange) -> Bool {
        guard let service = object.key.namespacedName, let spec: EndpointSpec = object.spec() else { return false }
        let old = endpoints[service, default: [:]].updateValue(spec, forKey: object.key.name)
        if old != spec { change.endpoints.insert(service) }
        return true
    }

    private mutating func insertRules(_ object: ReadObject, _ change: inout MeshChange) -> Bool {
        guard let name = object.key.namespacedName, let spec: VirtualServiceSpec = object.spec() else { return false }
        let rules = Rules(spec: spec, revision: object.revision, createTime: object.createTime)
        if virtualServices.updateValue(rules, forKey: name) != rules { change.virtualServices.insert(name) }
        return true
    }

    private mutating func insertPolicies(_ object: ReadObject, _ change: inout MeshChange) -> Bool {
        guard let name = object.key.namespacedName, let spec: DestinationRuleSpec = object.spec() else { return false }
        let policies = Policies(spec: spec, createTime: object.createTime)
        if destinationRules.updateValue(policies, forKey: name) != policies { change.destinationRules.insert(name) }
        return true
    }

    private mutating func insertRelease(_ object: ReadObject, _ change: inout MeshChange) -> Bool {
        guard let name = object.key.namespacedName, let spec: ReleaseSpec = object.spec() else { return false }
        let service = services[NamespacedName(namespace: name.namespace, name: spec.service)]
        let port = spec.port ?? service.flatMap { spec.resolvedPort(in: $0.spec) }
        let traffic = port.flatMap { ReleaseStatus(object.status).ownedTraffic(of: spec, in: name.namespace, port: $0) }
        if releases[name] != traffic { change.releases.insert(name) }
        releases[name] = traffic
        return true
    }
}

/// An object with its `spec` as its noun.
@dynamicMemberLookup
private struct ReadObject: Sendable {
    private let stored: StoredObject
    private let noun: (any Spec)?

    init(_ object: StoredObject) {
        stored = object
        noun =
            switch object.key.kind {
            case .tenant: nil
            case .cluster: object.noun(as: ClusterSpec.self)
            case .service: object.noun(as: ServiceSpec.self)
            case .endpoint: object.noun(as: EndpointSpec.self)
            case .virtualService: object.noun(as: VirtualServiceSpec.self)
            case .destinationRule: object.noun(as: DestinationRuleSpec.self)
            case .release: object.noun(as: ReleaseSpec.self)
            }
    }

    subscript<Value>(dynamicMember member: KeyPath<StoredObject, Value>) -> Value { stored[keyPath: member] }

    /// `nil` if it cannot be read.
    func spec<Noun: Spec>(as noun: Noun.Type = Noun.self) -> Noun? { self.noun as? Noun }
}

extension StoredObject {
    /// The stored `spec` as its noun; `nil` if it cannot be read.
    func noun<Noun: Spec>(as noun: Noun.Type = Noun.self) -> Noun? {
        Noun.read(spec, at: .root, log: ViolationLog())
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
