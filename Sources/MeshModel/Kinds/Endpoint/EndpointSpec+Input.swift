package import MeshCore

extension MeshState {
    /// An instance, and since when it is there: at what only one can have, who came later has to stand back.
    package struct Endpoint: Hashable, Sendable {
        package var spec: EndpointSpec
        package var createTime: Timestamp

        package init(spec: EndpointSpec, createTime: Timestamp) {
            self.spec = spec
            self.createTime = createTime
        }
    }

    /// By service, then by the endpoint's name.
    package var endpoints: Table<[Name: Endpoint]> {
        get { self[childrenOf: EndpointSpec.self] }
        set { self[childrenOf: EndpointSpec.self] = newValue }
    }
}

extension EndpointSpec {
    package static func input(_ spec: EndpointSpec, of object: StoredObject, in mesh: MeshKey) -> MeshState.Endpoint? {
        MeshState.Endpoint(spec: spec, createTime: object.createTime)
    }

    /// The sidecar in front of it.
    package static func mentions(_ input: MeshState.Endpoint, of service: NamespacedName) -> [Mention] {
        input.spec.sidecar.map { [.proxy(NamespacedName(namespace: service.namespace, name: $0.proxy))] } ?? []
    }
}

extension MeshChange {
    /// Services whose endpoints changed.
    package var endpoints: Set<NamespacedName> {
        get { self[.endpoint] }
        set { self[.endpoint] = newValue }
    }
}
