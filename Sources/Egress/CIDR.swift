/// Addresses that begin with the same bits: `10.0.0.0/8`, `fd00::/8`.
package struct CIDR: Hashable, Sendable, CustomStringConvertible {
    package let base: IPAddress
    /// The number of bits that count.
    package let length: Int

    /// Reads an address, `/` and a length; no bit behind the length may be set.
    package init?(_ text: String) {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count == 2, let first = parts.first, let last = parts.last, let base = IPAddress(String(first)),
            let length = Int(decimal: last.utf8), length <= base.family.bits
        else { return nil }
        self.base = base
        self.length = length
        guard Self.cut(base, to: length) == base.number else { return nil }
    }

    package var description: String { "\(base)/\(length)" }

    package func contains(_ address: IPAddress) -> Bool {
        address.family == base.family && Self.cut(address, to: length) == base.number
    }

    private static func cut(_ address: IPAddress, to length: Int) -> UInt128 {
        let rest = UInt128(max(0, address.family.bits - length))
        // Smart shifts: by 128 bits they leave nothing.
        return (address.number >> rest) << rest
    }
}
