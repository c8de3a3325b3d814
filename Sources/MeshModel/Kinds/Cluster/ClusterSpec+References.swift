internal import Documents
package import MeshCore

extension ClusterSpec {
    /// The mesh that it is part of; while it is disabled, the one that it was part of last.
    package static func references(_ spec: ClusterSpec, of key: ObjectKey) -> [Reference] {
        guard let mesh = spec.mesh else { return [] }
        return [
            Reference(
                to: .mesh(mesh.mesh, of: key.tenant), at: .spec.appending("mesh").appending("mesh"),
                mesh.enabled ? .strong : .weak)
        ]
    }
}
