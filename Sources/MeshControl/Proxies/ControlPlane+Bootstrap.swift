package import Documents
package import MeshCore
package import MeshIdentity
internal import MeshModel
package import MeshStore

/// The settings that a sidecar starts with.
package struct ProxyBootstrap: Sendable {
    /// The kind of program that the proxy is.
    package enum Client: String, CaseIterable, Sendable {
        case envoy
        /// gRPC's own xDS client; takes neither port.
        case grpc
    }

    /// The variant of the xDS protocol that an Envoy is to speak.
    package enum Variant: String, CaseIterable, Sendable {
        case delta
        case stateOfTheWorld = "sotw"
    }

    package var client: Client
    package var variant: Variant
    package var mesh: MeshKey
    package var proxy: Name
    package var namespace: Name
    /// The service that the proxy stands before, or that calls through it.
    package var service: Name
    /// The `Cluster` that the proxy's workload runs in.
    package var cluster: Name
    /// The loopback port on which the proxy serves outbound traffic; `1...65_535`.
    package var httpProxyPort: Int
    /// The loopback port of Envoy's admin interface; `1...65_535`.
    package var adminPort: Int
    /// With which it authenticates itself; `nil` until ``ControlPlane/bootstrap(_:clusterPointer:by:)`` signed one.
    package var token: Secret<String>?

    package init(
        mesh: MeshKey, proxy: Name, namespace: Name, service: Name, cluster: Name, httpProxyPort: Int, adminPort: Int,
        client: Client = .envoy, variant: Variant = .delta
    ) {
        self.client = client
        self.variant = variant
        self.mesh = mesh
        self.proxy = proxy
        self.namespace = namespace
        self.service = service
        self.cluster = cluster
        self.httpProxyPort = httpProxyPort
        self.adminPort = adminPort
    }
}

extension ControlPlane {
    /// Signs the token that binds a sidecar to its tenant and mesh (to these, and no later ones of their names), its
    /// namespace, name and service.
    ///
    /// The service need not exist yet: a caller's sidecar may come before anything is known of the caller.
    ///
    /// - Parameter clusterPointer: where in the request the cluster is named.
    package func bootstrap(
        _ bootstrap: ProxyBootstrap, clusterPointer: JSONPointer, by caller: Caller
    ) async throws -> ProxyBootstrap {
        let mesh = bootstrap.mesh
        try authorise(caller, .bootstrapProxies, in: ObjectScope(mesh, namespace: bootstrap.namespace))
        return try await translatingErrors {
            guard let life = try await store.life(of: mesh) else { throw ControlError.notFound("mesh \(mesh.mesh)") }
            guard try await store.fetch(.cluster(bootstrap.cluster, of: mesh.tenant)) != nil else {
                throw ControlError.invalid([
                    Violation(clusterPointer, .unknownReference, "there is no cluster \(bootstrap.cluster)")
                ])
            }
            guard let tokens = ProxyTokens(try await store.signingKeys()) else {
                throw ControlError.fault("there is no signing key")
            }
            let now = try await store.now().microseconds / 1_000_000
            let claims = ProxyClaims(
                mesh: mesh, uids: MeshUIDs(life), namespace: bootstrap.namespace, proxy: bootstrap.proxy,
                service: bootstrap.service,
                cluster: bootstrap.cluster, issuedAt: now, expiresAt: now + ProxyTokens.lifetime.components.seconds)
            var signed = bootstrap
            signed.token = try tokens.issue(claims)
            return signed
        }
    }
}

extension ProxyTokens {
    /// - Returns: `nil` if there is no key.
    package init?(_ keys: [StoredSigningKey]) { self.init(keys: keys.map { (id: $0.id, secret: Secret($0.secret)) }) }
}
