import Crypto
import Foundation
import MeshCore

@testable import MeshIdentity

/// Makes tokens that ``ProxyTokens`` never would.
struct TokenForge {
    var header = #"{"alg":"HS256","kid":"k1","typ":"JWT"}"#
    var payload = """
        {"ten":"acme","tid":"t-1","msh":"default","mid":"m-1","nsp":"shop","sub":"cart-1","svc":"cart","cls":"north",\
        "iat":1000,"exp":2000}
        """
    var secret = Self.secret(1)

    static func secret(_ seed: UInt8) -> [UInt8] { (0..<32).map { $0 &* 7 &+ seed } }

    /// The token for texts that may be anything, correctly signed with HMAC-SHA256.
    var token: String {
        Self.sign(Base64URL.encode(Array(header.utf8)) + "." + Base64URL.encode(Array(payload.utf8)), secret)
    }

    static func sign(_ signed: String, _ secret: [UInt8]) -> String {
        let code = HMAC<SHA256>.authenticationCode(for: Array(signed.utf8), using: SymmetricKey(data: secret))
        return signed + "." + Base64URL.encode(Array(code))
    }

    /// With the signature of another hash function, and the header to go with it.
    func signed512() -> String {
        let signed = Base64URL.encode(Array(header.utf8)) + "." + Base64URL.encode(Array(payload.utf8))
        let code = HMAC<SHA512>.authenticationCode(for: Array(signed.utf8), using: SymmetricKey(data: secret))
        return signed + "." + Base64URL.encode(Array(code))
    }

    /// What the forged payload says, unless it was changed.
    static var claims: ProxyClaims {
        get throws {
            guard let acme = Name("acme"), let shop = Name("shop"), let proxy = Name("cart-1"), let cart = Name("cart"),
                let north = Name("north")
            else { throw ProxyTokens.Refusal.invalid }
            return ProxyClaims(
                mesh: MeshKey(tenant: acme, mesh: .defaultMesh), uids: MeshUIDs(tenant: "t-1", mesh: "m-1"),
                namespace: shop, proxy: proxy, service: cart, cluster: north,
                issuedAt: 1000, expiresAt: 2000)
        }
    }

    static func tokens(_ keys: [(id: String, seed: UInt8)] = [("k1", 1)]) throws -> ProxyTokens {
        guard let tokens = ProxyTokens(keys: keys.map { ($0.id, Secret(secret($0.seed))) }) else {
            throw ProxyTokens.Refusal.invalid
        }
        return tokens
    }
}
