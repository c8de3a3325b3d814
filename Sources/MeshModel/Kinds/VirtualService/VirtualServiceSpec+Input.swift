package import MeshCore

extension MeshState {
    /// The rules of a VirtualService, and their age, which decides between two for one host.
    package struct Rules: Hashable, Sendable {
        package var spec: VirtualServiceSpec
        package var createTime: Timestamp

        package init(spec: VirtualServiceSpec, createTime: Timestamp) {
            self.spec = spec
            self.createTime = createTime
        }
    }

    package var virtualServices: Table<Rules> {
        get { self[VirtualServiceSpec.self] }
        set { self[VirtualServiceSpec.self] = newValue }
    }
}

extension VirtualServiceSpec {
    package static func input(_ spec: VirtualServiceSpec, of object: StoredObject, in mesh: MeshKey) -> MeshState.Rules?
    {
        MeshState.Rules(spec: spec, createTime: object.createTime)
    }

    /// The hosts that the VirtualService has rules for, and the services that it sends requests to.
    package static func mentions(_ input: MeshState.Rules, of name: NamespacedName) -> [Mention] {
        let hosts = input.spec.hosts.flatMap { Mention.host($0, from: name.namespace) }
        return hosts + input.spec.destinations(from: name.namespace).map(Mention.destination)
    }
}

extension MeshChange {
    package var virtualServices: Set<NamespacedName> {
        get { self[.virtualService] }
        set { self[.virtualService] = newValue }
    }
}
