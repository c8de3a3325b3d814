import Documents
import MeshCore
/// Textual IP addresses, checked without a resolver so that a host name never passes for one.
package enum IPAddress {
    /// Whether `text` is an IPv4 address in dotted-decimal form or an IPv6 address as of RFC 4291 section 2.2, without
    /// zone and without brackets.
    package static func isValid(_ text: String) -> Bool { isIPv4(text) || isIPv6(text) }

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
