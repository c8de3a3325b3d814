package import Documents
package import MeshCore

/// A place where workloads run and that a mesh can be enabled on.
package struct ClusterSpec: ResourceKind {
    package static let info = KindInfo(
        "Cluster", in: .tenant, roles: KindRoles(write: .operators),
        // `mesh:enable` and `mesh:disable`, and enabling at creation.
        methods: [CustomMethod("enableMesh", .operators)])

    /// How workloads of this cluster become known.
    package enum Provider: String, CaseIterable, Sendable {
        /// Endpoints are written through the API.
        case universal
    }

    package var provider: Provider
    /// At creation: enable the mesh with the same call. Later changes go through `mesh:enable` and `mesh:disable`.
    package var mesh: ClusterMeshSpec?

    package init() { provider = .universal }

    package static let fields: [Field<Self>] = [
        .required(
            "kind", \.provider, .choice, "How workloads of this cluster become known: universal, through the API."),
        .optional("mesh", \.mesh, .document, "Only at creation; later mesh:enable and mesh:disable change it."),
    ]
}

/// Whether and how a mesh is enabled on a cluster (`clusters/{cluster}/mesh`).
package struct ClusterMeshSpec: Document {
    package var enabled: Bool
    /// The mesh that the cluster's workloads join. Default: `default`.
    package var mesh: Name
    /// Namespaces whose workloads get sidecars. Empty: all.
    package var namespaces: [Name]

    package init() { self.init(enabled: false) }

    package init(enabled: Bool, mesh: Name = .defaultMesh, namespaces: [Name] = []) {
        self.enabled = enabled
        self.mesh = mesh
        self.namespaces = namespaces
    }

    private static let injected = Shape<[Name]>.list(of: .name, 0...1000).checked { namespaces, place, log in
        guard !namespaces.isEmpty else { return }
        log.warn(
            place.pointer, .consequence,
            "has no effect on a universal cluster: whoever runs a workload there starts its sidecar too")
    }

    package static let fields: [Field<Self>] = [
        .defaulted("enabled", \.enabled, .bool, "Whether the cluster's workloads are part of a mesh."),
        .defaulted("mesh", \.mesh, .name, "The mesh that they join."),
        .group(
            "injection",
            [
                .defaulted(
                    "namespaces", \.namespaces, injected,
                    "Namespaces whose workloads get sidecars; all if it is left out. Without effect on universal clusters."
                )
            ], "Who gets sidecars by itself."),
    ]
}

extension Kind {
    package static let cluster = kinds[ClusterSpec.self]
}
