package import MeshCore

extension ClusterSpec {
    /// A cluster on which the mesh is enabled. Endpoints elsewhere are not part of the mesh.
    package struct Enabled: Hashable, Sendable {
        package init() {}
    }

    package static func input(_ spec: ClusterSpec, of object: StoredObject, in mesh: MeshKey) -> Enabled? {
        spec.mesh.map { $0.enabled && $0.mesh == mesh.mesh } == true ? Enabled() : nil
    }
}

extension MeshState {
    /// Clusters of the tenant on which this mesh is enabled.
    package var enabledClusters: Set<Name> {
        get { Set(self[global: ClusterSpec.self].keys) }
        set {
            self[global: ClusterSpec.self] = Dictionary(
                uniqueKeysWithValues: newValue.map { ($0, ClusterSpec.Enabled()) })
        }
    }
}
