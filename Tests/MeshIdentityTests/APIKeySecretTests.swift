import Crypto
import MeshCore
import Testing

@testable import MeshIdentity

@Suite("Secrets of API keys")
struct APIKeySecretTests {
    @Test("a secret names its key and holds 192 bits that are never the same")
    func make() throws {
        let id = try #require(Name("ci-2"))
        let secrets = (0..<100).map { _ in APIKeySecret(id: id).text.reveal() }
        #expect(Set(secrets).count == 100)
        for secret in secrets {
            let random = try #require(secret.wholeMatch(of: /slk_ci-2_([A-Za-z0-9_-]{32})/)).output.1
            #expect(Base64URL.decode(random)?.count == 24)
        }
    }

    @Test("what is stored is the SHA-256 of the whole text, which is the same wherever it is computed")
    func hash() throws {
        let secret = APIKeySecret(id: try #require(Name("ci")))
        #expect(secret.hash.count == 32)
        #expect(secret.hash == APIKeySecret.hash(of: secret.text.reveal()))
        #expect(secret.hash == Array(SHA256.hash(data: Array(secret.text.reveal().utf8))))
    }

    @Test("a published vector of SHA-256")
    func vector() {
        let hash = APIKeySecret.hash(of: "abc")
        #expect(hash.prefix(4) == [0xba, 0x78, 0x16, 0xbf])
        #expect(hash.suffix(4) == [0xf2, 0x00, 0x15, 0xad])
    }

    @Test("a wrong, truncated, extended or otherwise spelt secret has another hash")
    func wrong() throws {
        let secret = APIKeySecret(id: try #require(Name("ci")))
        let text = secret.text.reveal()
        let hostile = [
            "", "slk_", "slk_ci_", String(text.dropLast()), String(text.dropFirst()), text + "A", text + "\0",
            " " + text,
            text + "\n", text.uppercased(), text.replacing("slk_", with: "slk-"), secret.prefix,
            String(repeating: text, count: 10_000), "\u{1F600}", text + "\u{0301}",
        ]
        for other in hostile { #expect(APIKeySecret.hash(of: other) != secret.hash) }
        #expect(Set(hostile.map(APIKeySecret.hash(of:))).count == hostile.count)
    }

    @Test("texts that look alike to Unicode but differ in bytes have different hashes")
    func canonicalEquivalence() {
        // Swift calls these strings equal.
        #expect("\u{E9}" == "e\u{301}")
        #expect(APIKeySecret.hash(of: "\u{E9}") != APIKeySecret.hash(of: "e\u{301}"))
    }

    @Test(
        "the prefix is the beginning of the secret, with four of its random characters", arguments: ["a", "ci", "a-b"])
    func prefix(_ id: String) throws {
        let secret = APIKeySecret(id: try #require(Name(id)))
        #expect(secret.text.reveal().hasPrefix(secret.prefix))
        #expect(secret.prefix.hasPrefix("slk_\(id)_"))
        #expect(secret.prefix.utf8.count == "slk_\(id)_".utf8.count + 4)
    }

    @Test("a secret that is printed, dumped or interpolated is not shown")
    func redaction() throws {
        let secret = APIKeySecret(id: try #require(Name("ci")))
        var dumped = ""
        dump(secret, to: &dumped)
        let random = String(secret.text.reveal().suffix(20))
        for text in [
            "\(secret.text)", String(reflecting: secret.text), "\(secret)", String(reflecting: secret), dumped,
        ] {
            #expect(!text.contains(random))
            #expect(text.contains("<redacted>"))
        }
    }
}
