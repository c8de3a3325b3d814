import Documents
import MeshCore

/// A place where workloads run and that a mesh can be enabled on.
package struct ClusterSpec: Spec {

    /// How workloads of this cluster become known.
    package enum Provider: String, CaseIterable, Sendable {
        /// Endpoints are written through the API.
        case universal
    }

    package var provider: Provider
    /// At creation: enable the mesh with the same call. Later changes go through `mesh:enable` and `mesh:disable`.
    package var mesh: ClusterMeshSpec?

    package init?(reading fields: inout FieldReader) {
        let provider: Provider? = fields.choice("kind", required: true)
        if var nested = fields.object("mesh") {
            mesh = ClusterMeshSpec(reading: &nested)
        }
        fields.finish()
        guard let provider else { return nil }
        self.provider = provider
    }

    package var json: JSONValue { .fields(["kind": .string(provider.rawValue), "mesh": mesh?.json]) }
}

/// Whether and how a mesh is enabled on a cluster (`clusters/{cluster}/mesh`).
package struct ClusterMeshSpec: Hashable, Sendable {
    package var enabled: Bool
    /// The mesh that the cluster's workloads join. Default: `default`.
    package var mesh: Name
    /// Namespaces whose workloads get sidecars. Empty: all.
    package var namespaces: [Name]

    package init(enabled: Bool, mesh: Name = .defaultMesh, namespaces: [Name] = []) {
        self.enabled = enabled
        self.mesh = mesh
        self.namespaces = namespaces
    }

    /// Reads `{"enabled", "mesh", "injection": {"namespaces"}}`.
    ///
    /// - Parameter enabled: what holds when the field is left out; `mesh:enable` says `true`.
    package init?(reading fields: inout FieldReader, enabled: Bool = false) {
        self.enabled = fields.bool("enabled") ?? enabled
        mesh = fields.name("mesh") ?? .defaultMesh
        namespaces = []
        if var injection = fields.object("injection") {
            for element in injection.elements("namespaces", atMost: 1000) {
                if let name = element.value.stringValue.flatMap(Name.init) {
                    namespaces.append(name)
                } else {
                    fields.log.report(element.pointer, .invalidFormat, Name.rule)
                }
            }
            injection.finish()
        }
        fields.finish()
    }

    package var json: JSONValue {
        .fields([
            "enabled": .bool(enabled),
            "mesh": .string(mesh.text),
            "injection": JSONValue.list(namespaces) { .string($0.text) }.map { .object(["namespaces": $0]) },
        ])
    }
}

