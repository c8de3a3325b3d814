package import GrayRelease
package import MeshCore

extension MeshState {
    /// A service with what releases have made of it.
    package struct Service: Hashable, Sendable {
        package var spec: ServiceSpec
        package var status: ServiceStatus

        package init(spec: ServiceSpec, status: ServiceStatus) {
            self.spec = spec
            self.status = status
        }
    }

    package var services: Table<Service> {
        get { self[ServiceSpec.self] }
        set { self[ServiceSpec.self] = newValue }
    }
}

extension ServiceSpec {
    package static func input(_ spec: ServiceSpec, of object: StoredObject, in mesh: MeshKey) -> MeshState.Service? {
        MeshState.Service(spec: spec, status: ServiceStatus(object.status))
    }
}

extension MeshChange {
    package var services: Set<NamespacedName> {
        get { self[.service] }
        set { self[.service] = newValue }
    }
}
