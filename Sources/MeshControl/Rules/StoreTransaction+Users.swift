internal import MeshModel
internal import MeshStore

/// What of other objects names the one that is being written, as nouns. Those that cannot be read are left out.
extension StoreTransaction {
    func endpointSpecs(of service: ObjectKey) async throws -> [(key: ObjectKey, spec: EndpointSpec)] {
        try await endpoints(of: service).compactMap { object in object.noun().map { (object.key, $0) } }
    }

    func activeReleaseSpecs(of service: ObjectKey) async throws -> [(key: ObjectKey, spec: ReleaseSpec)] {
        try await activeReleases(of: service).compactMap { object in object.noun().map { (object.key, $0) } }
    }
}
