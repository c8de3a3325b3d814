import Foundation
import Testing

@testable import MeshIdentity

@Suite("Hostile tokens")
struct HostileTokenTests {
    @Test("the forge makes a good token unless it is told otherwise")
    func forge() throws {
        #expect(try TokenForge.tokens().verify(TokenForge().token, now: 1000) == TokenForge.claims)
    }

    @Test(
        "no other algorithm than HS256 is accepted, however it is spelt and although the signature is right",
        arguments: ["none", "None", "NONE", "", "hs256", "HS256 ", "HS384", "HS512", "RS256", "ES256", "EdDSA", "dir"])
    func algorithm(_ name: String) throws {
        var forge = TokenForge()
        forge.header = #"{"alg":"\#(name)","kid":"k1","typ":"JWT"}"#
        try expectInvalid(forge.token)
        // As an unsigned token, with and without the last dot.
        let parts = forge.token.split(separator: ".")
        try expectInvalid("\(parts[0]).\(parts[1]).")
        try expectInvalid("\(parts[0]).\(parts[1])")
    }

    @Test("a longer signature of another hash function with the same key is refused, whatever the header says")
    func otherHash() throws {
        var forge = TokenForge()
        try expectInvalid(forge.signed512())
        forge.header = #"{"alg":"HS512","kid":"k1","typ":"JWT"}"#
        try expectInvalid(forge.signed512())
    }

    @Test(
        "a header without the algorithm or the key's id, with an unknown id, or that is no object is refused",
        arguments: [
            "", "{}", "[]", "null", "1", #""HS256""#, #"{"alg":"HS256","typ":"JWT"}"#, #"{"kid":"k1","typ":"JWT"}"#,
            #"{"alg":"HS256","kid":"k2","typ":"JWT"}"#, #"{"alg":"HS256","kid":"","typ":"JWT"}"#,
            #"{"alg":["HS256"],"kid":"k1","typ":"JWT"}"#, #"{"alg":"HS256","kid":1,"typ":"JWT"}"#,
            #"{"alg":"HS256","kid":"../../k1","typ":"JWT"}"#, #"{"alg":"HS256","kid":"k1","typ":"JWT""#,
        ])
    func header(_ text: String) throws {
        var forge = TokenForge()
        forge.header = text
        try expectInvalid(forge.token)
    }

    @Test("a signed payload that lacks a claim, or has one that is no name or number, is refused")
    func payload() throws {
        let good = TokenForge().payload
        var payloads = ["", "{}", "[]", "null", good + good, String(good.dropLast())]
        for claim in ["ten", "tid", "msh", "mid", "nsp", "sub", "svc", "cls", "iat", "exp"] {
            payloads.append(good.replacing("\"\(claim)\"", with: "\"x\(claim)\""))
        }
        for bad in [
            "\"\"", "\"Acme\"", "\"a.b\"", "\"a/b\"", "\"*\"", "null", "1", "{}",
            "\"\(String(repeating: "a", count: 64))\"",
        ] {
            payloads.append(good.replacing("\"acme\"", with: bad))
        }
        for bad in ["\"\"", "null", "1", "{}", "\"a/b\""] {
            for good in ["\"t-1\"", "\"m-1\""] {
                payloads.append(TokenForge().payload.replacing(good, with: bad))
            }
        }
        for bad in ["\"2000\"", "1e30", "-", "9223372036854775808", "null", "2000.5"] {
            payloads.append(good.replacing("2000", with: bad))
        }
        for text in payloads {
            var forge = TokenForge()
            forge.payload = text
            #expect(throws: ProxyTokens.Refusal.invalid, "\(text)") {
                try TokenForge.tokens().verify(forge.token, now: 1000)
            }
        }
    }

    @Test("a token for another tenant, mesh or proxy than the signed one is refused")
    func otherAudience() throws {
        let parts = TokenForge().token.split(separator: ".")
        for (old, new) in [
            ("acme", "globex"), ("default", "other"), ("t-1", "t-2"), ("m-1", "m-2"), ("cart-1", "cart-2"),
            ("shop", "bank"), ("2000", "9999"),
        ] {
            let payload = TokenForge().payload.replacing(old, with: new)
            try expectInvalid("\(parts[0]).\(Base64URL.encode(Array(payload.utf8))).\(parts[2])")
        }
    }

    @Test("a token that lost or gained anything anywhere is refused")
    func truncated() throws {
        let tokens = try TokenForge.tokens()
        let token = TokenForge().token
        for length in 0..<token.utf8.count {
            #expect(throws: ProxyTokens.Refusal.invalid) { try tokens.verify(String(token.prefix(length)), now: 1000) }
        }
        for text in [
            token + "A", token + ".", token + "=", token + "\n", " " + token, "." + token, "Bearer " + token,
            token + "." + token,
        ] {
            #expect(throws: ProxyTokens.Refusal.invalid, "\(text)") { try tokens.verify(text, now: 1000) }
        }
    }

    @Test("every character of a token counts")
    func everyCharacter() throws {
        let tokens = try TokenForge.tokens()
        let token = Array(TokenForge().token.utf8)
        for index in token.indices {
            var changed = token
            changed[index] = changed[index] == UInt8(ascii: "A") ? UInt8(ascii: "B") : UInt8(ascii: "A")
            #expect(throws: ProxyTokens.Refusal.invalid, "at \(index)") {
                try tokens.verify(String(decoding: changed, as: UTF8.self), now: 1000)
            }
        }
    }

    @Test("garbage, what is not UTF-8, and megabytes are refused without a trap")
    func garbage() throws {
        let texts = [
            "", ".", "..", "...", "a.b.c", "null", "{}", "\0", "\0.\0.\0", "é.é.é", String(repeating: ".", count: 4096),
            String(repeating: "A", count: 1_000_000), String(repeating: "A.", count: 1_000_000),
            String(decoding: [0xFF, 0x2E, 0xC0, 0x2E, 0x80] as [UInt8], as: UTF8.self),
        ]
        for text in texts { try expectInvalid(text) }
        // Correctly signed, but header or payload are no UTF-8.
        let header = Base64URL.encode(Array(TokenForge().header.utf8))
        let payload = Base64URL.encode(Array(TokenForge().payload.utf8))
        let binary = Base64URL.encode([0x7B, 0xFF, 0xFE, 0x00, 0x7D])
        try expectInvalid(TokenForge.sign("\(header).\(binary)", TokenForge.secret(1)))
        try expectInvalid(TokenForge.sign("\(binary).\(payload)", TokenForge.secret(1)))
        // Deep enough to exhaust the stack of a parser that recurses.
        var deep = TokenForge()
        deep.payload = String(repeating: "[", count: 2500)
        try expectInvalid(deep.token)
    }

    /// Timing cannot be tested on a shared machine; that nobody compares codes byte by byte can be read.
    @Test("codes are compared by swift-crypto, in constant time")
    func constantTime() throws {
        let file = URL(filePath: #filePath).deletingLastPathComponent().appending(
            path: "../../Sources/MeshIdentity/ProxyToken.swift")
        let source = try String(contentsOf: file, encoding: .utf8)
        #expect(source.contains("HMAC<SHA256>.isValidAuthenticationCode(code, authenticating: signed, using: key)"))
        #expect(source.matches(of: /code\s*[!=]=/).isEmpty)
        #expect(
            source.matches(of: /authenticationCode\(for:/).count == 1, "one to sign; checking makes no code of its own")
    }

    private func expectInvalid(_ token: String, at location: SourceLocation = #_sourceLocation) throws {
        let tokens = try TokenForge.tokens()
        #expect(throws: ProxyTokens.Refusal.invalid, sourceLocation: location) { try tokens.verify(token, now: 1000) }
    }
}
