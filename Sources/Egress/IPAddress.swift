/// An IPv4 or IPv6 address as a number, read and written without the C library, whose readers take spellings such as `127.1`.
package struct IPAddress: Hashable, Sendable, CustomStringConvertible {
    package enum Family: Sendable {
        case v4, v6

        /// The number of bits of an address.
        var bits: Int { self == .v4 ? 32 : 128 }
    }

    package let family: Family
    // Not one `UInt128`: Swift 6.3.1 calls a null pointer where a typed error that holds one is thrown.
    private let high: UInt64
    private let low: UInt64

    /// The address as a number; of IPv4 the lower 32 bits.
    var number: UInt128 { UInt128(high) << 64 | UInt128(low) }

    init(v4 number: UInt32) {
        family = .v4
        high = 0
        low = UInt64(number)
    }

    init(v6 number: UInt128) {
        family = .v6
        high = UInt64(truncatingIfNeeded: number >> 64)
        low = UInt64(truncatingIfNeeded: number)
    }

    /// Reads four decimal numbers without leading zeros (`192.0.2.1`), or the forms of RFC 4291 2.2 without brackets and zone.
    package init?(_ text: String) {
        if let number = Self.readV4(text.utf8[...]) {
            self.init(v4: number)
        } else if let number = Self.readV6(text) {
            self.init(v6: number)
        } else {
            return nil
        }
    }

    /// The IPv4 address that an IPv4-mapped one (`::ffff:192.0.2.1`) stands for to the kernel, or the address itself.
    package var unmapped: IPAddress {
        guard family == .v6, number >> 32 == 0xFFFF else { return self }
        return IPAddress(v4: UInt32(truncatingIfNeeded: number))
    }

    /// The spelling of RFC 5952; IPv4-mapped addresses end as IPv4 ones do.
    package var description: String {
        guard family == .v6 else { return Self.dotted(UInt32(truncatingIfNeeded: number)) }
        if number >> 32 == 0xFFFF { return "::ffff:" + Self.dotted(UInt32(truncatingIfNeeded: number)) }
        let groups = stride(from: 112, through: 0, by: -16).map { UInt16(truncatingIfNeeded: number >> UInt128($0)) }
        let zeros = Self.longestZeros(groups)
        let hex = { (part: ArraySlice<UInt16>) in part.map { String($0, radix: 16) }.joined(separator: ":") }
        guard zeros.count > 1 else { return hex(groups[...]) }
        return hex(groups.prefix(zeros.lowerBound)) + "::" + hex(groups.dropFirst(zeros.upperBound))
    }

    private static func dotted(_ number: UInt32) -> String {
        [24, 16, 8, 0].map { String((number >> UInt32($0)) & 0xFF) }.joined(separator: ".")
    }

    /// The first of the longest runs of zeros.
    private static func longestZeros(_ groups: [UInt16]) -> Range<Int> {
        var longest = 0..<0
        var start = 0
        for (index, group) in groups.enumerated() {
            if group != 0 {
                start = index + 1
            } else if index + 1 - start > longest.count {
                longest = start..<index + 1
            }
        }
        return longest
    }
}

extension IPAddress {
    /// Reads what is written between dots; `nil` for anything but four numbers.
    private static func readV4(_ text: Substring.UTF8View) -> UInt32? {
        let parts = text.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        guard parts.count == 4 else { return nil }
        var number: UInt32 = 0
        for part in parts {
            guard let octet = Int(decimal: part), octet <= 255 else { return nil }
            number = number << 8 | UInt32(octet)
        }
        return number
    }

    private static func readV6(_ text: String) -> UInt128? {
        // The longest spelling is six groups of four digits and an IPv4 address.
        guard text.utf8.count <= 45 else { return nil }
        guard let gap = firstGap(text.utf8) else {
            let groups = readGroups(text.utf8[...])
            return groups?.count == 8 ? groups.map(joined) : nil
        }
        guard let before = readGroups(text.utf8[..<gap.lowerBound]),
            let after = readGroups(text.utf8[gap.upperBound...])
        else { return nil }
        // An IPv4 address stands at the end only, and the gap for one group at least.
        guard !text.utf8[..<gap.lowerBound].contains(UInt8(ascii: ".")), before.count + after.count <= 7 else {
            return nil
        }
        return joined(before + Array(repeating: 0, count: 8 - before.count - after.count) + after)
    }

    private static func joined(_ groups: [UInt16]) -> UInt128 { groups.reduce(0) { $0 << 16 | UInt128($1) } }

    /// The first `::`.
    private static func firstGap(_ text: String.UTF8View) -> Range<String.Index>? {
        var before: UInt8?
        for index in text.indices {
            if before == UInt8(ascii: ":"), text[index] == UInt8(ascii: ":") {
                return text.index(before: index)..<text.index(after: index)
            }
            before = text[index]
        }
        return nil
    }

    /// Reads groups with `:` in between, of which the last may be an IPv4 address in place of two.
    private static func readGroups(_ text: Substring.UTF8View) -> [UInt16]? {
        guard !text.isEmpty else { return [] }
        var groups: [UInt16] = []
        let parts = text.split(separator: UInt8(ascii: ":"), omittingEmptySubsequences: false)
        for (index, part) in parts.enumerated() {
            if index == parts.count - 1, part.contains(UInt8(ascii: ".")) {
                guard let number = readV4(part) else { return nil }
                groups += [UInt16(number >> 16), UInt16(number & 0xFFFF)]
            } else {
                guard let group = UInt16(hex: part) else { return nil }
                groups.append(group)
            }
        }
        return groups
    }
}

extension Int {
    /// Reads one to five decimal digits, the first of several not 0.
    init?(decimal digits: Substring.UTF8View) {
        guard (1...5).contains(digits.count), digits.count == 1 || digits.first != UInt8(ascii: "0") else { return nil }
        var number = 0
        for digit in digits {
            guard (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(digit) else { return nil }
            number = number * 10 + Int(digit - UInt8(ascii: "0"))
        }
        self = number
    }
}

extension UInt16 {
    /// Reads one to four hexadecimal digits, and no sign.
    fileprivate init?(hex digits: Substring.UTF8View) {
        guard (1...4).contains(digits.count), digits.allSatisfy({ $0 != UInt8(ascii: "+") && $0 != UInt8(ascii: "-") })
        else { return nil }
        self.init(Substring(digits), radix: 16)
    }
}
