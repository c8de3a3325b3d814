import Glibc
import TestSupport
import Testing

@testable import Egress

@Suite("IP addresses")
struct IPAddressTests {
    @Test(
        "are written in the shortest way that RFC 5952 recommends",
        arguments: [
            ("192.0.2.1", "192.0.2.1"), ("0.0.0.0", "0.0.0.0"), ("255.255.255.255", "255.255.255.255"),
            ("::", "::"), ("::1", "::1"), ("1::", "1::"), ("2001:DB8:0:0:1:0:0:1", "2001:db8::1:0:0:1"),
            ("2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"), ("1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7:8"),
            ("1:2:3:4:5:6:7::", "1:2:3:4:5:6:7:0"), ("::ffff:7f00:1", "::ffff:127.0.0.1"),
            ("64:ff9b::192.0.2.33", "64:ff9b::c000:221"), ("fe80::0001", "fe80::1"), ("1:0:0:4:5:0:0:0", "1:0:0:4:5::"),
        ])
    func written(text: String, expected: String) throws {
        #expect(try #require(IPAddress(text)).description == expected)
        #expect(IPAddress(expected) == IPAddress(text))
    }

    @Test(
        "are not what the C library takes for one besides",
        arguments: [
            "", "1", "127.1", "2130706433", "0x7f.0.0.1", "0177.0.0.1", "127.0.0.01", "127.0.0.1.", ".127.0.0.1",
            "256.0.0.1", "1.2.3.4.5", "1.2.3.", "1.2.3.-4", "1.2.3.+4", " 1.2.3.4", "1.2.3.4\n", "１.2.3.4", ":", ":::",
            "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9", "1:2:3:4::5:6:7:8", "1::2::3", "12345::", "g::", "+1::", "::-1",
            "::1%lo",
            "[::1]", "1.2.3.4::", "::1.2.3", "::1.2.3.4:5", ":1::", "1:", "::ffff:127.0.0.1.2", "1:2:3:4:5:6:7:1.2.3.4",
        ])
    func refused(text: String) {
        #expect(IPAddress(text) == nil)
    }

    @Test("are read as inet_pton reads them, whatever the text")
    func oracle() {
        var random = SeededGenerator(seed: 1)
        let alphabet = Array("0123456789abcdefF::::...x%- ")
        let seeds = ["::ffff:127.0.0.1", "1:2:3:4:5:6:7:8", "fe80::1", "10.200.30.4", "1::8:255.1.2.3", "::"]
        for _ in 0..<LongRun.count("SLUICE_FUZZ_RUNS", else: 20_000) {
            var text = Array(seeds.randomElement(using: &random) ?? "")
            for _ in 0..<Int.random(in: 0...4, using: &random) {
                let place = Int.random(in: 0...text.count, using: &random)
                if random.chance(50), place < text.count {
                    text.remove(at: place)
                } else if let character = alphabet.randomElement(using: &random) {
                    text.insert(character, at: place)
                }
            }
            let spelling = String(text)
            let address = IPAddress(spelling)
            #expect(address.map { $0.number } == Self.number(spelling), "\(spelling)")
            if let address { #expect(IPAddress(address.description) == address) }
        }
    }

    /// What the C library reads.
    private static func number(_ text: String) -> UInt128? {
        var v4 = in_addr()
        if unsafe inet_pton(AF_INET, text, &v4) == 1 { return UInt128(UInt32(bigEndian: v4.s_addr)) }
        var v6 = in6_addr()
        guard unsafe inet_pton(AF_INET6, text, &v6) == 1 else { return nil }
        return unsafe withUnsafeBytes(of: v6) { unsafe $0.reduce(UInt128(0)) { $0 << 8 | UInt128($1) } }
    }

    @Test(
        "CIDRs hold what begins with their bits",
        arguments: [
            ("10.0.0.0/8", "10.255.0.1", true), ("10.0.0.0/8", "11.0.0.1", false), ("0.0.0.0/0", "255.1.2.3", true),
            ("0.0.0.0/0", "::1", false), ("::/0", "1::", true), ("::/0", "1.2.3.4", false),
            ("192.0.2.7/32", "192.0.2.7", true), ("192.0.2.7/32", "192.0.2.6", false), ("fd00::/8", "fdff::1", true),
            ("fe80::/10", "febf::1", true), ("fe80::/10", "fec0::1", false), ("::1/128", "::1", true),
        ])
    func blocks(block: String, address: String, holds: Bool) throws {
        let cidr = try #require(CIDR(block))
        #expect(cidr.description == block)
        #expect(cidr.contains(try #require(IPAddress(address))) == holds)
    }

    @Test(
        "CIDRs are written strictly",
        arguments: [
            "", "/", "10.0.0.0", "10.0.0.0/", "10.0.0.0/33", "::/129", "10.0.0.1/8", "fd00::1/8", "10.0.0.0/08",
            "10.0.0.0/+8", "10.0.0.0/-1", "10/8", "10.0.0.0/8/8", " 10.0.0.0/8", "10.0.0.0/8 ",
            "10.0.0.0/99999999999999999999",
            "host/8", "10.0.0.0/255.0.0.0",
        ])
    func refusedBlocks(text: String) {
        #expect(CIDR(text) == nil)
    }
}
