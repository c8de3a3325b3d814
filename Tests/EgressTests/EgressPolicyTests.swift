import Testing

@testable import Egress

@Suite("The policy of calls to the outside")
struct EgressPolicyTests {
    @Test(
        "refuses what is not public",
        arguments: [
            ("127.0.0.1", "loopback"), ("127.255.255.254", "loopback"), ("0.0.0.0", "unspecified"),
            ("0.1.2.3", "unspecified"), ("169.254.169.254", "link-local"), ("10.0.0.1", "private"),
            ("172.16.0.1", "private"), ("172.31.255.255", "private"), ("192.168.1.1", "private"),
            ("100.64.0.1", "a carrier's own"), ("100.127.255.255", "a carrier's own"),
            ("192.0.0.192", "reserved for protocols"), ("192.0.2.1", "for documentation"),
            ("198.51.100.9", "for documentation"), ("203.0.113.9", "for documentation"),
            ("198.18.0.1", "for benchmarks"), ("198.19.255.255", "for benchmarks"), ("192.88.99.1", "a relay of 6to4"),
            ("224.0.0.1", "multicast"), ("239.255.255.255", "multicast"), ("240.0.0.1", "reserved"),
            ("255.255.255.255", "broadcast"), ("168.63.129.16", "a cloud's own"), ("::", "unspecified"),
            ("::1", "loopback"), ("::2", "reserved"), ("::7f00:1", "reserved"), ("fe80::1", "link-local"),
            ("febf::1", "link-local"), ("fec0::1", "site-local"), ("fc00::1", "private"), ("fd00:ec2::254", "private"),
            ("ff02::1", "multicast"), ("100::1", "discarded"), ("2001:db8::1", "for documentation"),
            ("3fff::1", "for documentation"), ("2001::1", "Teredo"), ("2001:10::1", "reserved for protocols"),
            ("2002:7f00:1::", "6to4"), ("2002:808:808::", "6to4"), ("::ffff:127.0.0.1", "loopback"),
            ("::ffff:169.254.169.254", "link-local"), ("::ffff:0.0.0.0", "unspecified"),
            ("64:ff9b::127.0.0.1", "loopback"), ("64:ff9b::169.254.169.254", "link-local"),
            ("64:ff9b:1::1", "no public address"), ("4000::1", "no public address"), ("5f00::1", "no public address"),
        ])
    func refused(text: String, what: String) throws {
        let address = try #require(IPAddress(text))
        for isEncrypted in [true, false] {
            #expect(EgressPolicy().refusal(of: address, isEncrypted: isEncrypted) == what)
        }
        // Every one can be opened by itself, by what the message says.
        let message = "\(EgressFailure.refused(address, what))"
        #expect(message.hasPrefix("\(address) is not called because it is \(what); --egress-allow "))
        let flag = try #require(message.split(separator: " ").drop { $0 != "--egress-allow" }.dropFirst().first)
        let policy = EgressPolicy(allowed: [try #require(CIDR(String(flag)))])
        #expect(policy.refusal(of: address, isEncrypted: false) == nil)
    }

    @Test(
        "allows public addresses, with TLS",
        arguments: [
            "8.8.8.8", "1.1.1.1", "9.255.255.255", "11.0.0.0", "126.255.255.255", "128.0.0.0", "169.253.255.255",
            "169.255.0.0",
            "172.15.255.255", "172.32.0.0", "192.167.255.255", "192.169.0.0", "100.63.255.255", "100.128.0.0",
            "192.0.1.0",
            "192.0.3.0", "198.17.255.255", "198.20.0.0", "223.255.255.255", "168.63.129.15", "2606:4700::1111",
            "2001:4860:4860::8888", "2003::1", "::ffff:8.8.8.8", "64:ff9b::8.8.8.8", "3ffe:ffff::1",
        ])
    func allowed(text: String) throws {
        let address = try #require(IPAddress(text))
        #expect(EgressPolicy().refusal(of: address, isEncrypted: true) == nil)
        #expect(EgressPolicy().refusal(of: address, isEncrypted: false) == "not to be called without TLS")
    }

    @Test("opens what the platform lists, by the address that is meant, and nothing beside it")
    func opened() throws {
        let policy = EgressPolicy(allowed: [try #require(CIDR("10.1.0.0/16")), try #require(CIDR("8.8.8.8/32"))])
        for text in ["10.1.2.3", "::ffff:10.1.2.3", "8.8.8.8"] {
            #expect(policy.refusal(of: try #require(IPAddress(text)), isEncrypted: false) == nil)
        }
        // A translator's way to it is another one.
        for text in ["10.2.0.0", "64:ff9b::10.1.2.3", "::10.1.2.3"] {
            #expect(policy.refusal(of: try #require(IPAddress(text)), isEncrypted: true) != nil)
        }
        #expect(policy.refusal(of: try #require(IPAddress("8.8.8.9")), isEncrypted: false) != nil)
    }

    @Test("refuses a name for one of its addresses")
    func all() throws {
        let good = try #require(IPAddress("8.8.8.8"))
        let bad = try #require(IPAddress("169.254.169.254"))
        #expect(throws: EgressFailure.refused(bad, "link-local")) {
            try EgressPolicy().check([good, bad], isEncrypted: true)
        }
        try EgressPolicy().check([good], isEncrypted: true)
    }
}
