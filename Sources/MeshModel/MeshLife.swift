/// One life of a mesh: a mesh that was deleted with its tenant and a later one of the same name are two.
package struct MeshLife: Hashable, Sendable {
    /// The tenant's `uid`.
    package var tenant: String
    /// The mesh's own; no two meshes ever have the same.
    package var mesh: String
    /// When it began, in seconds since 1970 by the database's clock.
    package var since: Int64

    package init(tenant: String, mesh: String, since: Int64) {
        self.tenant = tenant
        self.mesh = mesh
        self.since = since
    }
}

extension MeshLife: CustomStringConvertible {
    /// `tenant/mesh/since`.
    package var description: String { "\(tenant)/\(mesh)/\(since)" }

    /// Reads a ``description``; `nil` for anything else.
    package init?(_ text: String) {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count == 3, let since = Int64(parts[2]) else { return nil }
        self.init(tenant: String(parts[0]), mesh: String(parts[1]), since: since)
    }
}
