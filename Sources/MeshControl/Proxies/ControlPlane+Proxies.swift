internal import Documents
package import MeshCore
package import MeshIdentity
package import MeshModel
package import MeshStore

/// One page of a mesh's proxies.
package struct ProxyPage: Sendable {
    package var items: [ProxyRow]
    /// Behind which the next page begins; `nil`: this is the last one.
    package var next: NamespacedName?
}

extension ControlPlane {
    /// The proxies of a mesh, by namespace and name, as all replicas together know them.
    package func proxies(
        of mesh: MeshKey, namespace: Name?, pageSize: Int, after: NamespacedName?, by caller: Caller
    ) async throws -> ProxyPage {
        try authorise(caller, .readProxies, in: ObjectScope(mesh, namespace: namespace))
        return try await translatingErrors {
            let rows = try await store.proxies(of: mesh, namespace: namespace, after: after, limit: pageSize + 1)
            if rows.isEmpty, try await store.meshRevision(mesh) == nil {
                throw ControlError.notFound("mesh \(mesh.mesh)")
            }
            let items = Array(rows.prefix(pageSize))
            return ProxyPage(items: items, next: rows.count > pageSize ? items.last?.name : nil)
        }
    }

    /// Lets those through who may see what the proxies of a mesh report.
    ///
    /// - Returns: which of the meshes that had this name it is.
    package func checkMetrics(of mesh: MeshKey, by caller: Caller) async throws -> MeshLife {
        try authorise(caller, .readProxies, in: ObjectScope(mesh))
        guard let life = try await translatingErrors({ try await store.life(of: mesh) }) else {
            throw ControlError.notFound("mesh \(mesh.mesh)")
        }
        return life
    }

    /// Takes note that a proxy's workload ends: as soon as its stream has ended too, no release waits for it. What a workload
    /// calls before it stops; void when the proxy begins another stream.
    package func dismiss(_ name: Name, of mesh: MeshKey, namespace: Name?, by caller: Caller) async throws -> ProxyRow {
        try authorise(caller, .dismissProxies, in: ObjectScope(mesh, namespace: namespace))
        let row = try await proxy(name, of: mesh, namespace: namespace, by: caller)
        // Without a namespace in the request, the one in which it was found.
        try authorise(caller, .dismissProxies, in: ObjectScope(mesh, namespace: row.name.namespace))
        try await translatingErrors { try await store.noteGoodbye(of: row.name, in: mesh) }
        return row
    }

    /// A proxy of a mesh.
    ///
    /// - Parameter namespace: needed only where proxies of one name are in several namespaces.
    package func proxy(
        _ name: Name, of mesh: MeshKey, namespace: Name?, by caller: Caller
    ) async throws -> ProxyRow {
        try authorise(caller, .readProxies, in: ObjectScope(mesh, namespace: namespace))
        let rows = try await translatingErrors {
            try await store.proxies(of: mesh, namespace: namespace, name: name, limit: 2)
        }
        guard let row = rows.first else { throw ControlError.notFound("proxy \(name)") }
        guard rows.count == 1 else {
            throw ControlError.invalid([
                Violation(
                    JSONPointer(["query", "namespace"]), .required,
                    "proxies named \(name) are in several namespaces: say which",
                    choices: rows.map(\.name.namespace.text))
            ])
        }
        return row
    }

    /// The configuration that a proxy of a mesh was sent, as far as the caller may know of it.
    ///
    /// - Parameters:
    ///   - namespace: as for ``proxy(_:of:namespace:by:)``.
    ///   - source: finds it out.
    package func proxyConfig(
        _ name: Name, of mesh: MeshKey, namespace: Name?, by caller: Caller, from source: ProxyConfigSource
    ) async throws -> ProxyConfig {
        let row = try await proxy(name, of: mesh, namespace: namespace, by: caller)
        return try await source(row).visible(to: caller.namespaces)
    }
}
