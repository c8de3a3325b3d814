package import MeshCore

/// The caller, after authentication.
package struct Caller: Hashable, Sendable, CustomStringConvertible {
    /// For the audit trail and logs, for example `apiKey:ci`.
    package var description: String
    /// The identity of this key and of no later one of its name: what a call with an idempotency key is remembered under.
    package var identity: String
    package var role: Role
    /// The person whom the caller stands for: votes about releases count once a person.
    package var person: String
    /// Groups by which gates of release plans know the person.
    package var groups: Set<String>
    /// `nil`: of the platform.
    package var tenant: Name?
    /// The only meshes that the caller may enter; empty: all.
    package var meshes: Set<Name>
    /// The only namespaces that the caller may enter; empty: all.
    package var namespaces: Set<Name>

    package init(
        description: String, identity: String? = nil, role: Role, person: String? = nil, groups: Set<String> = [],
        tenant: Name?, meshes: Set<Name> = [],
        namespaces: Set<Name> = []
    ) {
        self.description = description
        self.identity = identity ?? description
        self.role = role
        self.person = person ?? description
        self.groups = groups
        self.tenant = tenant
        self.meshes = meshes
        self.namespaces = namespaces
    }

    /// The holder of `SLUICE_ADMIN_TOKEN`.
    package static let platformAdministrator = Caller(
        description: "platformAdministrator", role: .platformAdmin, tenant: nil)

    /// Whether the caller's key is wide enough. A key that is narrowed to some meshes or namespaces may not do what is
    /// wider than those: `nil` stands for all of them.
    package func mayEnter(mesh: Name?, namespace: Name?) -> Bool {
        let mayEnterMesh = meshes.isEmpty || mesh.map(meshes.contains) ?? false
        let mayEnterNamespace = namespaces.isEmpty || namespace.map(namespaces.contains) ?? false
        return mayEnterMesh && mayEnterNamespace
    }
}
