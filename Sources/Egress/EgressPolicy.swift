/// Rules for whom the server calls on behalf of users: public addresses over TLS, and what the platform opens besides.
///
/// Without it, whoever may name a URL could have the server ask its own neighbours, a cloud's metadata among them
/// (OWASP: Server-Side Request Forgery).
package struct EgressPolicy: Hashable, Sendable {
    /// Addresses that may be called in any case, also without TLS: `--egress-allow`.
    package var allowed: [CIDR]

    package init(allowed: [CIDR] = []) { self.allowed = allowed }

    /// Decides about one address. An IPv4-mapped address is the IPv4 address that it stands for.
    ///
    /// - Parameter isEncrypted: whether it would be called with TLS.
    /// - Returns: why it may not be called, as what follows "it is"; `nil` if it may.
    package func refusal(of address: IPAddress, isEncrypted: Bool) -> String? {
        let address = address.unmapped
        if allowed.contains(where: { $0.contains(address) }) { return nil }
        if let special = Self.special(address) { return special }
        return isEncrypted ? nil : "not to be called without TLS"
    }

    /// - Throws: ``EgressFailure/refused(_:_:)`` for the first address that may not be called.
    func check(_ addresses: [IPAddress], isEncrypted: Bool) throws(EgressFailure) {
        for address in addresses {
            if let refusal = refusal(of: address, isEncrypted: isEncrypted) { throw .refused(address, refusal) }
        }
    }

    private static func special(_ address: IPAddress) -> String? {
        if let name = blocks.first(where: { $0.block.contains(address) })?.name { return name }
        guard address.family == .v6 else { return nil }
        if let nat64, nat64.contains(address) {
            // A translator calls the IPv4 address in the last bits.
            return special(IPAddress(v4: UInt32(truncatingIfNeeded: address.number)))
        }
        return global?.contains(address) == true ? nil : "no public address"
    }

    /// Global unicast addresses (RFC 4291 2.4, as assigned so far by IANA): IPv6 outside of it is no host of the internet.
    private static let global = CIDR("2000::/3")
    /// IPv4 behind a translator (RFC 6052).
    private static let nat64 = CIDR("64:ff9b::/96")

    /// IANA's special-purpose address registries, of which nothing is a public host; more special ones first.
    private static let blocks: [(block: CIDR, name: String)] = [
        ("0.0.0.0/8", "unspecified"), ("127.0.0.0/8", "loopback"), ("169.254.0.0/16", "link-local"),
        ("10.0.0.0/8", "private"), ("172.16.0.0/12", "private"), ("192.168.0.0/16", "private"),
        ("100.64.0.0/10", "a carrier's own"), ("192.0.0.0/24", "reserved for protocols"),
        ("192.0.2.0/24", "for documentation"), ("198.51.100.0/24", "for documentation"),
        ("203.0.113.0/24", "for documentation"), ("198.18.0.0/15", "for benchmarks"),
        ("192.88.99.0/24", "a relay of 6to4"), ("224.0.0.0/4", "multicast"), ("255.255.255.255/32", "broadcast"),
        ("240.0.0.0/4", "reserved"),
        // Public by number, but every virtual machine of Azure reaches its host's agent there.
        ("168.63.129.16/32", "a cloud's own"),
        ("::/128", "unspecified"), ("::1/128", "loopback"), ("::/96", "reserved"), ("fe80::/10", "link-local"),
        ("fec0::/10", "site-local"), ("fc00::/7", "private"), ("ff00::/8", "multicast"), ("100::/64", "discarded"),
        ("2001:db8::/32", "for documentation"), ("3fff::/20", "for documentation"), ("2001::/32", "Teredo"),
        ("2001::/23", "reserved for protocols"), ("2002::/16", "6to4"),
    ].compactMap { text, name in CIDR(text).map { ($0, name) } }
}
