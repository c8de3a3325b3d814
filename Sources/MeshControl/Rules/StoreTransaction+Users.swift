internal import Documents
internal import GrayRelease
internal import MeshCore
internal import MeshModel
internal import MeshStore

/// What of other objects names the one that is being written, as nouns. Those that cannot be read are left out.
extension StoreTransaction {
    func endpointSpecs(of service: ObjectKey) async throws -> [(key: ObjectKey, spec: EndpointSpec)] {
        try await allEndpoints(of: service).compactMap { object in object.noun().map { (object.key, $0) } }
    }

    /// VirtualServices that send requests to a service, and where.
    func uses(of service: ObjectKey) async throws -> [(name: NamespacedName, uses: [VirtualServiceSpec.Use])] {
        guard let target = service.namespacedName else { return [] }
        return try await virtualServices(mentioning: service).compactMap { object in
            guard let name = object.key.namespacedName, let spec: VirtualServiceSpec = object.noun() else { return nil }
            let uses = spec.uses(of: target, from: name.namespace)
            return uses.isEmpty ? nil : (name, uses)
        }
    }

    func activeReleaseSpecs(of service: ObjectKey) async throws -> [(key: ObjectKey, spec: ReleaseSpec)] {
        try await activeReleases(of: service).compactMap { object in object.noun().map { (object.key, $0) } }
    }
}

extension StoredSpec {
    /// The spec as its noun; `nil` if it cannot be read.
    func noun<Noun: Document>(as noun: Noun.Type = Noun.self) -> Noun? {
        Noun.read(spec, at: .root, log: ViolationLog(ofStored: true))
    }
}
