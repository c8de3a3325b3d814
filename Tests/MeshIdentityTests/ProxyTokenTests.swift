import MeshCore
import MeshModel
import Testing

@testable import MeshIdentity

@Suite("Tokens of proxies")
struct ProxyTokenTests {
    @Test("a token says what it was issued for, and is refused from the second on at which it expires")
    func roundTrip() throws {
        let tokens = try TokenForge.tokens()
        let token = try tokens.issue(TokenForge.claims).reveal()
        #expect(try tokens.verify(token, now: 1000) == TokenForge.claims)
        #expect(try tokens.verify(token, now: 1999) == TokenForge.claims)
        for now in [2000, 2001, Int64.max] {
            #expect(throws: ProxyTokens.Refusal.expired) { try tokens.verify(token, now: now) }
        }
    }

    @Test("an issued token is a JSON Web Token of the usual shape")
    func shape() throws {
        let token = try TokenForge.tokens().issue(TokenForge.claims).reveal()
        let parts = try token.split(separator: ".").map { try #require(Base64URL.decode($0)) }
        #expect(String(decoding: parts[0], as: UTF8.self) == #"{"alg":"HS256","kid":"k1","typ":"JWT"}"#)
        #expect(
            String(decoding: parts[1], as: UTF8.self) == """
                {"cls":"north","exp":2000,"iat":1000,"mid":"m-1","msh":"default","nsp":"shop","sub":"cart-1","svc":"cart",\
                "ten":"acme","tid":"t-1"}
                """)
        #expect(parts[2].count == 32)
    }

    /// RFC 7515 appendix A.1: so that this HMAC-SHA256 is everybody's.
    @Test("the signature is the one of RFC 7515")
    func vector() throws {
        let text = "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow"
        let key = try #require(Base64URL.decode(text[...]))
        let signed = """
            eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9p\
            c19yb290Ijp0cnVlfQ
            """
        #expect(TokenForge.sign(signed, key) == signed + ".dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk")
    }

    @Test("the first key signs and all verify; a token of a key that was taken away is refused")
    func rotation() throws {
        let old = try TokenForge.tokens([("k1", 1)]).issue(TokenForge.claims).reveal()
        let both = try TokenForge.tokens([("k2", 2), ("k1", 1)])
        let new = try both.issue(TokenForge.claims).reveal()
        #expect(try both.verify(old, now: 1000) == TokenForge.claims)
        #expect(try both.verify(new, now: 1000) == TokenForge.claims)
        let later = try TokenForge.tokens([("k2", 2)])
        #expect(try later.verify(new, now: 1000) == TokenForge.claims)
        #expect(throws: ProxyTokens.Refusal.invalid) { try later.verify(old, now: 1000) }
    }

    @Test("another key of the same id refuses the token, even an expired one")
    func wrongKey() throws {
        let token = try TokenForge.tokens([("k1", 2)]).issue(TokenForge.claims).reveal()
        let tokens = try TokenForge.tokens()
        for now in [Int64(1000), 3000] {
            #expect(throws: ProxyTokens.Refusal.invalid) { try tokens.verify(token, now: now) }
        }
    }

    @Test("there are no tokens without a key")
    func noKeys() {
        #expect(ProxyTokens(keys: []) == nil)
    }

    @Test("issued tokens live for a year, and are not shown when printed")
    func secrecy() throws {
        #expect(ProxyTokens.lifetime == .seconds(31_536_000))
        let token = try TokenForge.tokens().issue(TokenForge.claims)
        #expect("\(token)" == "<redacted>")
    }

    @Test("a token from before tokens named what they are for by uid is read; it says nothing of that")
    func oldForm() throws {
        var forge = TokenForge()
        forge.payload = forge.payload.replacing(#""tid":"t-1","#, with: "").replacing(#""mid":"m-1","#, with: "")
        var claims = try TokenForge.claims
        claims.uids = nil
        #expect(try TokenForge.tokens().verify(forge.token, now: 1000) == claims)
    }

    @Test("where a token comes from reads back from its text, and nothing else does")
    func origins() throws {
        var claims = try TokenForge.claims
        for uids in [claims.uids, nil] {
            claims.uids = uids
            #expect(TokenOrigin("\(TokenOrigin(claims))") == TokenOrigin(claims))
        }
        for text in ["", "/", "//", "//x", "a/b", "a/b/1/2", "a/b/9223372036854775808"] {
            #expect(TokenOrigin(text) == nil && MeshLife(text) == nil, "\(text)")
        }
        let life = MeshLife(tenant: "t", mesh: "m", since: -1)
        #expect(MeshLife(life.description) == life)
    }
}
