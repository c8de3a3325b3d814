internal import Documents
package import GrayRelease
package import MeshCore
package import MeshModel
package import MeshStore

/// A stored release, with spec and status decoded.
package struct StoredRelease: Sendable {
    package var object: StoredObject
    package var key: ObjectKey { object.key }
    package var mesh: MeshKey
    package var name: NamespacedName
    package var spec: ReleaseSpec
    package var status: ReleaseStatus
    package var plannedWakeupAt: Timestamp?
    package var lastDrivenAt: Timestamp?

    /// - Throws: ``ControlError/fault(_:)`` if what is stored cannot be read: it was written by a newer program.
    package init(_ row: ReleaseRow) throws {
        let object = row.object
        guard let mesh = object.key.meshKey, let namespace = object.key.namespace,
            let spec = ReleaseSpec.read(object.spec, at: .root, log: ViolationLog(ofStored: true))
        else { throw ControlError.fault("the stored release \(object.key) cannot be read") }
        self.object = object
        self.mesh = mesh
        name = NamespacedName(namespace: namespace, name: object.key.name)
        self.spec = spec
        status = ReleaseStatus(object.status)
        plannedWakeupAt = row.nextWakeupAt
        lastDrivenAt = row.lastDrivenAt
    }

    package var service: NamespacedName { NamespacedName(namespace: name.namespace, name: spec.service) }
    package var serviceKey: ObjectKey { .namespaced(.service, service, in: mesh) }
}
