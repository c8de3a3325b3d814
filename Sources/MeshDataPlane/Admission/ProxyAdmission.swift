internal import Foundation
internal import GRPCServer
internal import MeshCore
internal import MeshIdentity
internal import MeshModel
internal import Synchronization
internal import XDSServer

/// Lets proxies in by their token, and gives each the view that its token is bound to. So a proxy cannot see more than its
/// token says, whatever it says of itself.
///
/// Needs no database: a proxy can come back while the database is away. Whether its token is for the mesh that has the name now,
/// and not for one of an earlier tenant, is looked at when a proxy comes, as far as this replica knows the mesh, and in any case
/// before it is served anything of the mesh (``refusal(of:owner:)``).
final class ProxyAdmission: XDSDelegate {
    private let tokens: Mutex<ProxyTokens>
    private let life: @Sendable (MeshKey) -> MeshLife?

    /// - Parameter life: which of the meshes that had a name this replica knows; `nil`: none.
    init(tokens: ProxyTokens, life: @escaping @Sendable (MeshKey) -> MeshLife?) {
        self.tokens = Mutex(tokens)
        self.life = life
    }

    /// Goes by other keys from now on. Who is in stays in.
    func use(_ tokens: ProxyTokens) { self.tokens.withLock { $0 = tokens } }

    func admit(_ request: AdmissionRequest) throws(GRPCStatus) -> Admission {
        let claims = try claims(request)
        let view = ProxyView(claims, request.node)
        return Admission(
            proxy: ProxyName(claims).text, view: view.id, tenant: claims.mesh.tenant.text,
            right: TokenOrigin(claims).description, group: view.group)
    }

    func refusal(of admission: Admission, owner: String) -> GRPCStatus? {
        // Neither is ever anything else; what cannot be told is no.
        guard let origin = TokenOrigin(admission.right), let life = MeshLife(owner) else {
            return GRPCStatus(.permissionDenied, "the token is not for this mesh")
        }
        return Self.refusal(of: origin, in: life)
    }

    private static func refusal(of origin: TokenOrigin, in life: MeshLife) -> GRPCStatus? {
        switch origin.standing(in: life) {
        case .current: nil
        case .earlier:
            GRPCStatus(
                .permissionDenied, "the token is for an earlier tenant or mesh of this name: fetch a new bootstrap")
        case .later: GRPCStatus(.unavailable, "the mesh of the token is not known here yet; connect again")
        }
    }

    func identity(of metadata: GRPCMetadata) throws(GRPCStatus) -> CallIdentity? {
        guard let token = Self.token(metadata) else { return nil }
        let claims = try verified(token)
        return CallIdentity(tenant: claims.mesh.tenant.text, proof: claims)
    }

    private func verify(_ token: String) throws(ProxyTokens.Refusal) -> ProxyClaims {
        // A copy: checking takes long, for a lock.
        let tokens = tokens.withLock { $0 }
        return try tokens.verify(token, now: Self.now)
    }

    private static var now: Int64 { Int64(Date.now.timeIntervalSince1970) }

    /// The claims of the token of whoever asks.
    func claims(_ request: AdmissionRequest) throws(GRPCStatus) -> ProxyClaims {
        let claims: ProxyClaims
        if let known = request.identity?.proof as? ProxyClaims {
            claims = known
        } else {
            claims = try verified(request)
        }
        try Self.check(request.node, claims)
        if let life = life(claims.mesh), let refusal = Self.refusal(of: TokenOrigin(claims), in: life) { throw refusal }
        return claims
    }

    private func verified(_ request: AdmissionRequest) throws(GRPCStatus) -> ProxyClaims {
        guard let token = Self.token(request) else {
            throw GRPCStatus(.unauthenticated, "no token: use the bootstrap that the API gives for this proxy")
        }
        return try verified(token)
    }

    private func verified(_ token: String) throws(GRPCStatus) -> ProxyClaims {
        do throws(ProxyTokens.Refusal) {
            return try verify(token)
        } catch {
            let detail = error == .expired ? "the token has expired: fetch a new bootstrap" : "the token is not valid"
            throw GRPCStatus(.unauthenticated, detail)
        }
    }

    /// Envoy sends its token as gRPC metadata. gRPC's client cannot over plaintext, so it carries it in its node.
    static func token(_ request: AdmissionRequest) -> String? {
        guard request.metadata.first("authorization") == nil else { return token(request.metadata) }
        return request.node.metadata["SLUICE_TOKEN"]
    }

    private static func token(_ metadata: GRPCMetadata) -> String? {
        let parts = metadata.first("authorization")?.split(separator: " ", maxSplits: 1) ?? []
        return parts.count == 2 && parts[0].lowercased() == "bearer" ? String(parts[1]) : nil
    }

    /// A proxy that says it is somebody else has the wrong bootstrap; better refused than confused.
    private static func check(_ node: NodeInfo, _ claims: ProxyClaims) throws(GRPCStatus) {
        let expected = [
            "NAMESPACE": claims.namespace.text, "NAME": claims.proxy.text, "MESH_ID": "\(claims.mesh)",
        ]
        for (field, value) in expected.sorted(by: { $0.key < $1.key }) {
            if let given = node.metadata[field], given != value {
                throw GRPCStatus(.permissionDenied, "the token is not for the node's \(field) \"\(given)\"")
            }
        }
    }
}
