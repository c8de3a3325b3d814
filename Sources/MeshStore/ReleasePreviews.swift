package import MeshCore
internal import MeshModel
internal import Postgres

/// The basis of a preview, in words that are others as soon as it may be another.
package struct PreviewBasis: Hashable, Sendable {
    /// Everything in the mesh but endpoints, also what has nothing to do with the release.
    package var documents: String
    /// The service's, and the clusters that they are on.
    package var endpoints: String
}

extension MeshStore {
    /// The basis of a preview of a release of a service now.
    package func previewBasis(of service: NamespacedName, in mesh: MeshKey) async throws(StoreError) -> PreviewBasis {
        let (tenant, name) = (mesh.tenant.text, mesh.mesh.text)
        // Whatever is written has a new revision, and what is deleted is missing from the number.
        return try await rows(
            """
            SELECT (SELECT coalesce(max(revision), 0) || '-' || count(*) FROM object
                     WHERE tenant = \(tenant) AND mesh = \(name) AND kind <> 'Endpoint') AS documents,
                   (SELECT coalesce(max(revision), 0) || '-' || count(*) FROM object
                     WHERE tenant = \(tenant) AND kind = 'Endpoint' AND mesh = \(name)
                       AND namespace = \(service.namespace.text) AND service = \(service.name.text))
                   || '-' || (SELECT coalesce(max(revision), 0) || '-' || count(*) FROM object
                               WHERE tenant = \(tenant) AND kind = 'Cluster' AND mesh = '') AS endpoints
            """, seeing: .tenant(mesh.tenant)
        ).single { row throws(PostgresError) in
            PreviewBasis(documents: try row["documents"], endpoints: try row["endpoints"])
        }
    }

    /// The first proxy by name that is sent the routes of a release, one that is connected if there is any.
    ///
    /// - Parameter namespaces: the only ones of proxies; empty: all.
    package func firstProxy(
        sent release: ReleaseFootprint, in mesh: MeshKey, namespaces: Set<Name>
    ) async throws(StoreError) -> ProxyRow? {
        try await rows(
            """
            SELECT p.tenant, p.mesh, p.namespace, p.name, \(Self.proxyColumns)
              FROM proxy p LEFT JOIN replica r ON r.id = p.replica
             WHERE p.tenant = \(mesh.tenant.text) AND p.mesh = \(mesh.mesh.text) AND p.client ? 'service'
               AND (p.routed IS NULL OR p.routed && \(release.routed)::text[])
               AND (\(namespaces.isEmpty) OR p.namespace = ANY (\(namespaces.map(\.text))::text[]))
             ORDER BY coalesce(\(Self.isConnected), false) DESC, p.namespace, p.name LIMIT 1
            """, seeing: .tenant(mesh.tenant)
        ).first(ProxyRow.init)
    }
}
