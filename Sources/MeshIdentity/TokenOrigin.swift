package import MeshModel

/// The `uid` of a tenant and that of one of its meshes.
package struct MeshUIDs: Hashable, Sendable {
    package var tenant: String
    package var mesh: String

    package init(tenant: String, mesh: String) {
        self.tenant = tenant
        self.mesh = mesh
    }

    package init(_ life: MeshLife) { self.init(tenant: life.tenant, mesh: life.mesh) }
}

/// The part of a token that tells for which of several meshes of one name it is.
package struct TokenOrigin: Hashable, Sendable {
    package var uids: MeshUIDs?
    /// Seconds since 1970.
    package var issuedAt: Int64

    package init(_ claims: ProxyClaims) {
        uids = claims.uids
        issuedAt = claims.issuedAt
    }

    package enum Standing: Sendable {
        case current
        /// The token is for a mesh that is gone.
        case earlier
        /// The token is for one that whoever asks has not heard of yet.
        case later
    }

    /// The standing of the token at the mesh that has its name now.
    ///
    /// A token without ``uids`` is for the mesh that was there when it was issued: proxies from before tokens had them stay in,
    /// and those of a tenant that is gone do not get into the next one of its name.
    package func standing(in life: MeshLife) -> Standing {
        // Both times are of the database's clock.
        let isOlder = issuedAt < life.since
        guard let uids else { return isOlder ? .earlier : .current }
        if uids == MeshUIDs(life) { return .current }
        return isOlder ? .earlier : .later
    }
}

extension TokenOrigin: CustomStringConvertible {
    /// `tenant/mesh/time`, the first two empty without ``uids``.
    package var description: String { "\(uids?.tenant ?? "")/\(uids?.mesh ?? "")/\(issuedAt)" }

    /// Reads a ``description``; `nil` for anything else.
    package init?(_ text: String) {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
        guard parts.count == 3, let time = Int64(parts[2]) else { return nil }
        uids = parts[0].isEmpty && parts[1].isEmpty ? nil : MeshUIDs(tenant: parts[0], mesh: parts[1])
        issuedAt = time
    }
}
