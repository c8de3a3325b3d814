import TestSupport
import Testing

@testable import Egress

@Suite("URLs of calls")
struct EgressURLTests {
    @Test(
        "are read",
        arguments: [
            ("https://example.com", "example.com", 443, "/"), ("http://example.com/", "example.com", 80, "/"),
            ("HTTPS://Example.COM:8443/a%20b?c=d&e", "example.com:8443", 8443, "/a%20b?c=d&e"),
            ("https://h?x=/", "h", 443, "/?x=/"), ("https://192.0.2.1:443/", "192.0.2.1", 443, "/"),
            ("http://[2001:DB8::1]:8080/x", "[2001:db8::1]:8080", 8080, "/x"),
            ("http://[::ffff:127.0.0.1]/", "[::ffff:127.0.0.1]", 80, "/"),
            ("https://a_b.svc.cluster.local/?q=a@b:c", "a_b.svc.cluster.local", 443, "/?q=a@b:c"),
            ("https://1a.b2/", "1a.b2", 443, "/"), ("https://h//..//", "h", 443, "//..//"),
            ("https://xn--bcher-kva.example/", "xn--bcher-kva.example", 443, "/"),
        ])
    func read(text: String, authority: String, port: Int, target: String) throws {
        let url = try EgressURL(text)
        #expect(url.authority == authority)
        #expect(url.port == port)
        #expect(url.target == target)
        #expect(url.isEncrypted == text.lowercased().hasPrefix("https"))
    }

    @Test(
        "are refused when another reader could find another host in them, or when they are none",
        arguments: [
            "", "example.com", "//example.com/", "https:/example.com", "https:example.com", "ftp://example.com/",
            "file:///etc",
            "https://", "https:///x", "https://?x", "https://:443/", "https://user@example.com/",
            "https://user:secret@example.com/", "https://example.com@169.254.169.254/", "https://@example.com/",
            "https://example.com#@other/", "https://example.com/#a", "https://example.com/#",
            "https://example.com\\@other/",
            "https://example.com:/", "https://example.com:0/", "https://example.com:65536/", "https://example.com:+80/",
            "https://example.com:080/", "https://example.com:80:80/", "https://example.com:99999999999999999999/",
            "http://2130706433/", "http://0x7f.1/", "http://0x7f000001/", "http://0177.0.0.1/", "http://127.1/",
            "http://127.0.0.1./", "http://017700000001/", "http://127.0.0.0x1/", "http://0X7F.0.0.1/",
            "http://1.2.3.4.5/",
            "http://256.1.1.1/", "http://a.b.3/", "http://[::1/", "http://::1/", "http://[::1]x/", "http://[::1%25lo]/",
            "http://[127.0.0.1]/", "http://[]/", "http://[v1.a]/", "http://example..com/", "http://example.com./",
            "http://.com/",
            "http://-a.com/", "http://a-.com/", "http://exa%6dple.com/", "http://ex*mple.com/",
            "http://bücher.example/",
            "http://example.com/\r\nX: y", "http://example.com/\nx", "http://example.com/a b", "http://example.com/\t",
            "http://example.com\r\n/", "http://example.com/\0", "http://example.com/%", "http://example.com/%4",
            "http://example.com/%zz", "http://example.com/ü", "http://example.com/<", "http://example.com/{x}",
            " http://example.com/", "http://example.com/ ", "http ://example.com/", "http:// example.com/",
            "http://" + String(repeating: "a", count: 64) + ".com/",
            "http://" + String(repeating: "a.", count: 127) + "com/",
            "http://example.com/" + String(repeating: "a", count: 8192), "http://[::1]\u{301}/", "http://a/\u{301}",
        ])
    func refused(text: String) throws {
        let failure = try #require(throws: EgressFailure.self) { try EgressURL(text) }
        guard case .invalidURL = failure else {
            Issue.record("\(failure)")
            return
        }
        #expect("\(failure)".hasPrefix("the URL is invalid: "))
    }

    @Test("of 8 KiB are read, and none of a byte more")
    func length() throws {
        let longest = "https://example.com/" + String(repeating: "a", count: 8192 - 20)
        #expect(try EgressURL(longest).target.utf8.count == 8192 - 19)
        #expect(throws: EgressFailure.self) { try EgressURL(longest + "a") }
    }

    @Test("are read the same again when they are put together, whatever the text")
    func random() throws {
        var random = SeededGenerator(seed: 2)
        let alphabet = Array("ab01.:/@[]?#%\\ -_xX\u{301}\r\nü")
        let seeds = [
            "https://example.com:8443/a/b?c=d", "http://[::1]:80/", "http://127.0.0.1/x", "https://a.b-c.d_e/%41?x=%zz",
        ]
        for _ in 0..<LongRun.count("SLUICE_FUZZ_RUNS", else: 20_000) {
            var text = Array(seeds.randomElement(using: &random) ?? "")
            for _ in 0..<Int.random(in: 1...4, using: &random) {
                let place = Int.random(in: 0...text.count, using: &random)
                if random.chance(50), place < text.count {
                    text.remove(at: place)
                } else if let character = alphabet.randomElement(using: &random) {
                    text.insert(character, at: place)
                }
            }
            guard let url = try? EgressURL(String(text)) else { continue }
            let again = "\(url.isEncrypted ? "https" : "http")://\(url.authority)\(url.target)"
            #expect(try EgressURL(again) == url, "\(String(text))")
        }
    }
}
