internal import Crypto
internal import Foundation
package import MeshCore

/// The identity of a proxy: what its token is bound to.
package struct ProxyClaims: Hashable, Sendable {
    package var mesh: MeshKey
    /// The `uid` of the tenant and that of the mesh, so that the token is good for no later one of the same name; `nil` in a token
    /// that was issued before tokens had them.
    package var uids: MeshUIDs?
    package var namespace: Name
    package var proxy: Name
    /// The service that the proxy stands before, or that calls through it.
    package var service: Name
    package var cluster: Name
    /// Seconds since 1970.
    package var issuedAt: Int64
    package var expiresAt: Int64

    package init(
        mesh: MeshKey, uids: MeshUIDs?, namespace: Name, proxy: Name, service: Name, cluster: Name, issuedAt: Int64,
        expiresAt: Int64
    ) {
        self.mesh = mesh
        self.uids = uids
        self.namespace = namespace
        self.proxy = proxy
        self.service = service
        self.cluster = cluster
        self.issuedAt = issuedAt
        self.expiresAt = expiresAt
    }
}

/// Signs and checks the tokens that proxies authenticate with.
///
/// JSON Web Tokens (RFC 7519) with HMAC-SHA256. Checking one needs no database, so proxies can come back while the database
/// is away. Signing and comparing are swift-crypto's; this adds the envelope only.
package struct ProxyTokens: Sendable {
    /// How long a token is good for. Envoy cannot change what is in its bootstrap, so it must outlive the proxy.
    package static let lifetime = Duration.seconds(365 * 86_400)

    /// By the first part of the tokens that they sign. What a header says needs no reading: it is one of these, or not ours.
    private let keys: [String: SymmetricKey]
    private let signer: (header: String, key: SymmetricKey)

    /// - Parameter keys: id and 32 random bytes each; the first one signs, all of them check. Must not be empty.
    package init?(keys: [(id: String, secret: Secret<[UInt8]>)]) {
        let pairs = keys.map { (Self.header($0.id), SymmetricKey(data: $0.secret.reveal())) }
        guard let first = pairs.first else { return nil }
        signer = first
        self.keys = Dictionary(pairs) { first, _ in first }
    }

    private static func header(_ key: String) -> String {
        // Only text is in it, which always can be encoded.
        let json = try? encoder.encode(Header(alg: "HS256", kid: key, typ: "JWT"))
        return Base64URL.encode(Array(json ?? Data()))
    }

    private static var encoder: JSONEncoder {
        let encoder = JSONEncoder()
        encoder.outputFormatting = .sortedKeys
        return encoder
    }

    /// Why a token is not accepted.
    package enum Refusal: Error, Equatable, Sendable {
        /// The text is no token of ours at all, or was changed.
        case invalid
        case expired
    }

    private struct Header: Encodable {
        var alg: String
        var kid: String
        var typ: String
    }

    private struct Payload: Codable {
        var ten: String
        var msh: String
        var tid: String?
        var mid: String?
        var nsp: String
        var sub: String
        var svc: String
        var cls: String
        var iat: Int64
        var exp: Int64
    }

    package func issue(_ claims: ProxyClaims) throws -> Secret<String> {
        let payload = Payload(
            ten: claims.mesh.tenant.text, msh: claims.mesh.mesh.text, tid: claims.uids?.tenant, mid: claims.uids?.mesh,
            nsp: claims.namespace.text,
            sub: claims.proxy.text,
            svc: claims.service.text, cls: claims.cluster.text, iat: claims.issuedAt, exp: claims.expiresAt)
        let signed = signer.header + "." + Base64URL.encode(Array(try Self.encoder.encode(payload)))
        let code = HMAC<SHA256>.authenticationCode(for: Array(signed.utf8), using: signer.key)
        return Secret(signed + "." + Base64URL.encode(Array(code)))
    }

    /// Checks a token.
    ///
    /// - Parameter now: seconds since 1970.
    package func verify(_ token: String, now: Int64) throws(Refusal) -> ProxyClaims {
        guard token.utf8.count <= 4096 else { throw .invalid }
        let parts = token.utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false).map(Substring.init)
        guard parts.count == 3, let key = keys[String(parts[0])], let code = Base64URL.decode(parts[2]) else {
            throw .invalid
        }
        let signed = Array(token.utf8[..<parts[1].endIndex])
        guard HMAC<SHA256>.isValidAuthenticationCode(code, authenticating: signed, using: key),
            let payload = Self.payload(parts[1]), let claims = Self.claims(payload)
        else { throw .invalid }
        guard now < claims.expiresAt else { throw .expired }
        return claims
    }

    /// Whether a text may be a `uid`: nothing is said of its form, but it has one.
    private static func isUID(_ text: String) -> Bool { !text.isEmpty && !text.contains("/") }

    private static func payload(_ part: Substring) -> Payload? {
        guard let bytes = Base64URL.decode(part) else { return nil }
        return try? JSONDecoder().decode(Payload.self, from: Data(bytes))
    }

    private static func claims(_ payload: Payload) -> ProxyClaims? {
        guard let tenant = Name(payload.ten), let mesh = Name(payload.msh), let namespace = Name(payload.nsp),
            let proxy = Name(payload.sub), let service = Name(payload.svc), let cluster = Name(payload.cls)
        else { return nil }
        let uids: MeshUIDs?
        switch (payload.tid, payload.mid) {
        case (let tenant?, let mesh?) where isUID(tenant) && isUID(mesh): uids = MeshUIDs(tenant: tenant, mesh: mesh)
        case (nil, nil): uids = nil
        default: return nil
        }
        return ProxyClaims(
            mesh: MeshKey(tenant: tenant, mesh: mesh), uids: uids, namespace: namespace, proxy: proxy, service: service,
            cluster: cluster, issuedAt: payload.iat, expiresAt: payload.exp)
    }
}
