/// Textual IP addresses, checked without a resolver so that a host name never passes for one.
package enum IPAddress {
    /// Whether `text` is an IPv4 address in dotted-decimal form or an IPv6 address as of RFC 4291 section 2.2, without
    /// zone and without brackets.
    package static func isValid(_ text: String) -> Bool { isIPv4(text) || isIPv6(text) }

    /// Whether an address is one that the internet does not route to somebody else: of a private network, of the machine itself, of
    /// its link, or none at all (RFC 6890, but for addresses of documentation). IPv6 forms of IPv4 addresses count as those: mapped,
    /// compatible (RFC 4291), translated (RFC 6052, 2765, 8215), 6to4 (RFC 3056). So does Teredo (RFC 4380), which hides one.
    ///
    /// - Parameter text: a valid address; nothing else is private.
    package static func isPrivate(_ text: String) -> Bool {
        if isIPv4(text) { return isPrivate(text.split(separator: ".").compactMap { UInt8($0) }) }
        guard isIPv6(text) else { return false }
        let groups = groups(of: text)
        guard groups.count == 8 else { return true }
        // ::, ::1, and what has an IPv4 address at its end.
        let isMapped =
            groups[0..<4].allSatisfy { $0 == 0 }
            && [(0, 0), (0, 0xFFFF), (0xFFFF, 0)].contains { $0 == (groups[4], groups[5]) }
        let isTranslated = groups[0] == 0x64 && groups[1] == 0xFF9B && groups[2..<6].allSatisfy { $0 == 0 }
        if isMapped || isTranslated {
            return isPrivate(groups[6...].flatMap { [UInt8($0 >> 8), UInt8($0 & 0xFF)] })
        }
        if groups[0] == 0x2002 {
            return isPrivate(groups[1...2].flatMap { [UInt8($0 >> 8), UInt8($0 & 0xFF)] })
        }
        // Networks' own translation, Teredo, what is discarded.
        let isSpecial =
            (groups[0] == 0x64 && groups[1] == 0xFF9B && groups[2] == 1) || (groups[0] == 0x2001 && groups[1] == 0)
            || (groups[0] == 0x100 && groups[1..<4].allSatisfy { $0 == 0 })
        // fc00::/7, fe80::/10 and what was site-local, ff00::/8.
        return isSpecial || groups[0] & 0xFE00 == 0xFC00 || groups[0] & 0xFF80 == 0xFE80 || groups[0] & 0xFF00 == 0xFF00
    }

    private static func isPrivate(_ bytes: [UInt8]) -> Bool {
        guard bytes.count == 4 else { return true }
        switch (bytes[0], bytes[1]) {
        case (0, _), (10, _), (127, _), (224..., _): return true
        case (192, 0): return bytes[2] == 0
        case (100, 64...127), (169, 254), (172, 16...31), (192, 168), (198, 18...19): return true
        default: return false
        }
    }

    /// - Parameter text: a valid IPv6 address.
    private static func groups(of text: String) -> [UInt16] {
        let halves = text.split(separator: "::", omittingEmptySubsequences: false).map { half in
            half.split(separator: ":").flatMap { group -> [UInt16] in
                let bytes = isIPv4(group) ? group.split(separator: ".").compactMap { UInt16($0) } : []
                guard bytes.count == 4 else { return UInt16(group, radix: 16).map { [$0] } ?? [] }
                return [bytes[0] << 8 | bytes[1], bytes[2] << 8 | bytes[3]]
            }
        }
        guard halves.count == 2 else { return halves.first ?? [] }
        let missing = 8 - halves[0].count - halves[1].count
        return halves[0] + Array(repeating: 0, count: max(0, missing)) + halves[1]
    }

    package static func isIPv4(_ text: some StringProtocol) -> Bool {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        return parts.count == 4
            && parts.allSatisfy { part in
                // A leading zero would be octal to some resolvers.
                (1...3).contains(part.utf8.count) && part.utf8.allSatisfy { (48...57).contains($0) }
                    && (part.utf8.count == 1 || part.utf8.first != 48) && UInt8(part) != nil
            }
    }

    package static func isIPv6(_ text: String) -> Bool {
        guard text.utf8.count <= 45, text.contains(":") else { return false }
        let halves = text.split(separator: "::", omittingEmptySubsequences: false)
        guard halves.count <= 2, !text.contains(":::") else { return false }
        var groups = 0
        for (index, half) in halves.enumerated() where !half.isEmpty {
            guard let count = groupCount(of: half, mayEndInIPv4: index == halves.count - 1) else { return false }
            groups += count
        }
        return halves.count == 2 ? groups <= 7 : groups == 8
    }

    private static func groupCount(of half: Substring, mayEndInIPv4: Bool) -> Int? {
        let groups = half.split(separator: ":", omittingEmptySubsequences: false)
        var count = 0
        for (index, group) in groups.enumerated() {
            if mayEndInIPv4, index == groups.count - 1, isIPv4(group) {
                count += 2
            } else if (1...4).contains(group.utf8.count), group.allSatisfy(\.isHexDigit),
                group.utf8.count == group.count
            {
                count += 1
            } else {
                return nil
            }
        }
        return count
    }
}
