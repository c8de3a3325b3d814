import MeshModel
import Testing

@Suite("IP addresses are told from names, and those that the internet does not route from the others")
struct IPAddressTests {
    @Test(
        "in dotted decimals, each as short as it can be",
        arguments: [
            ("10.0.0.1", true), ("255.255.255.255", true), ("0.0.0.0", true), ("1.2.3", false), ("1.2.3.4.5", false),
            ("256.0.0.1", false), ("01.2.3.4", false), ("1.2.3.00", false), ("1.2.3.", false), ("1..3.4", false),
            ("1.2.3.1000", false), ("1.2.3.a", false), ("1.2.3.+4", false), ("", false), ("a.b.c.d", false),
            ("1.2.3.٤", false),
        ])
    func dotted(_ text: String, isAddress: Bool) {
        #expect(IPAddress.isIPv4(text) == isAddress)
        #expect(IPAddress.isValid(text) == isAddress)
        #expect(!IPAddress.isIPv6(text))
    }

    @Test(
        "in groups of hexadecimal digits, of which some may be left out once (RFC 4291, section 2.2)",
        arguments: [
            ("::", true), ("::1", true), ("fe80::1", true), ("1:2:3:4:5:6:7:8", true), ("ABCD:EF01::", true),
            ("::ffff:10.0.0.1", true), ("1:2:3:4:5:6:10.0.0.1", true), ("1::8", true), ("1:2:3:4:5:6:7::", true),
            ("1:2:3:4:5:6:7", false), ("1:2:3:4:5:6:7:8:9", false), ("1:2:3:4:5:6:7::8", false), ("1::2::3", false),
            (":::", false), ("1:::2", false), (":1:2:3:4:5:6:7", false), ("1:2:3:4:5:6:7:", false),
            ("12345::", false), ("g::", false), ("10.0.0.1::", false), ("10.0.0.1:1::", false), ("::10.0.0.1:1", false),
            ("::10.0.0", false), ("fe80::1%eth0", false), ("[::1]", false), ("::١", false), ("::１", false),
            (":", false), ("a", false),
            ("", false), (String(repeating: "0000:", count: 9) + "::", false),
            // More than any address has.
            ("0000:0000:0000:0000:0000:ffff:255.255.255.2551", false),
        ])
    func groups(_ text: String, isAddress: Bool) {
        #expect(IPAddress.isIPv6(text) == isAddress)
        #expect(IPAddress.isValid(text) == isAddress)
    }

    @Test(
        "private networks, the machine itself and its link are nobody else's, in whatever form they are written",
        arguments: [
            "10.1.2.3", "127.0.0.1", "169.254.169.254", "172.16.0.1", "172.31.255.255", "192.168.1.1", "100.64.0.1",
            "100.127.0.1", "0.0.0.0", "224.0.0.1", "255.255.255.255", "192.0.0.192", "198.18.0.1", "198.19.0.1",
            "::", "::1", "fe80::1", "febf::1", "fec0::1", "feff::1", "fc00::1", "fd00::1", "ff02::1", "100::1",
            "100:0:0:0:1::",
            "2001::1", "64:ff9b:1::a00:1",
            // As IPv6 has addresses of IPv4: mapped, compatible, translated, 6to4.
            "::ffff:10.0.0.1", "::ffff:a00:1", "::10.0.0.1", "::ffff:0:10.0.0.1", "64:ff9b::10.0.0.1",
            "64:ff9b::a00:1", "2002:a00:1::", "2002:a9fe:a9fe::", "0:0:0:0:0:ffff:192.168.0.1",
        ])
    func hidden(_ text: String) { #expect(IPAddress.isPrivate(text)) }

    @Test(
        "others are anybody's, and what is no address is not private",
        arguments: [
            "8.8.8.8", "192.0.2.1", "192.1.0.1", "172.15.0.1", "172.32.0.1", "100.63.0.1", "100.128.0.1", "9.255.0.1",
            "11.0.0.1", "126.0.0.1", "128.0.0.1", "169.253.0.1", "192.167.0.1", "198.17.0.1", "198.20.0.1",
            "223.255.255.255", "2001:db8::1", "2001:1::1", "2606:4700::1111", "::ffff:8.8.8.8", "::ffff:808:808",
            "::8.8.8.8", "::ffff:0:8.8.8.8", "64:ff9b::8.8.8.8", "64:ff9b:2::a00:1", "64:ff9c::a00:1",
            "65:ff9b::10.0.0.1", "2002:808:808::", "100:0:0:1::1", "101::1", "fbff::1", "fe00::1", "fe7f::1",
            "::1:ffff:10.0.0.1", "0:0:0:1::ffff:10.0.0.1", "::2:10.0.0.1", "64:ff9b:0:0:0:1:10.0.0.1",
            "", "localhost", "10.0.0", "10.0.0.1:80", "fe80::1%eth0",
        ])
    func routed(_ text: String) { #expect(!IPAddress.isPrivate(text)) }
}
