/// A URL as far as a call needs it. Stricter than the standard, so that no other reader finds another host in it: no user
/// information, no fragment, no spelling of IPv4 addresses but the usual one.
package struct EgressURL: Hashable, Sendable {
    enum Host: Hashable, Sendable {
        case address(IPAddress)
        /// In lower case.
        case name(String)
    }

    let isEncrypted: Bool
    let host: Host
    let port: Int
    /// The path with the query.
    let target: String

    private static let maximumLength = 8192

    /// - Throws: ``EgressFailure/invalidURL(_:)``.
    package init(_ text: String) throws(EgressFailure) {
        guard text.utf8.count <= Self.maximumLength else {
            throw .invalidURL("it has more than \(Self.maximumLength) bytes")
        }
        guard text.utf8.allSatisfy(Self.allows) else {
            throw .invalidURL("it has a character that has to be percent-encoded, a fragment or a control character")
        }
        let (scheme, rest) = try Self.cutScheme(text)
        isEncrypted = scheme == "https"
        let end = rest.firstIndex { $0 == "/" || $0 == "?" } ?? rest.endIndex
        (host, port) = try Self.readAuthority(rest[..<end], otherwise: isEncrypted ? 443 : 80)
        let tail = rest[end...]
        guard Self.escapesAreWhole(tail) else { throw .invalidURL("a % is not followed by two hexadecimal digits") }
        target = tail.hasPrefix("/") ? String(tail) : "/" + tail
    }

    /// The `Host` header: without the port if it is the scheme's own.
    var authority: String {
        let name =
            switch host {
            case .address(let address): address.family == .v6 ? "[\(address)]" : "\(address)"
            case .name(let name): name
            }
        return port == (isEncrypted ? 443 : 80) ? name : "\(name):\(port)"
    }

    /// The name that a certificate has to be for; `nil`: the address that is connected to.
    var serverName: String? {
        guard case .name(let name) = host else { return nil }
        return name
    }

    private static func allows(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "#"), UInt8(ascii: "\""), UInt8(ascii: "<"), UInt8(ascii: ">"), UInt8(ascii: "\\"),
            UInt8(ascii: "^"), UInt8(ascii: "`"), UInt8(ascii: "{"), UInt8(ascii: "|"), UInt8(ascii: "}"):
            false
        default: byte > 0x20 && byte < 0x7F
        }
    }

    private static func cutScheme(_ text: String) throws(EgressFailure) -> (scheme: String, rest: Substring) {
        guard let colon = text.firstIndex(of: ":"), text[colon...].hasPrefix("://") else {
            throw .invalidURL("it does not begin with https:// or http://")
        }
        let scheme = text[..<colon].lowercased()
        guard scheme == "http" || scheme == "https" else { throw .invalidURL("its scheme is neither https nor http") }
        return (scheme, text[colon...].dropFirst(3))
    }

    private static func readAuthority(
        _ authority: Substring, otherwise usualPort: Int
    ) throws(EgressFailure) -> (Host, Int) {
        guard !authority.contains("@") else { throw .invalidURL("user and password are not allowed in it") }
        guard authority.hasPrefix("[") else {
            let colon = authority.firstIndex(of: ":") ?? authority.endIndex
            return (try readHost(authority[..<colon]), try readPort(authority[colon...], otherwise: usualPort))
        }
        guard let bracket = authority.firstIndex(of: "]"),
            let address = IPAddress(String(authority[..<bracket].dropFirst())), address.family == .v6
        else { throw .invalidURL("what stands in brackets is no IPv6 address") }
        return (.address(address), try readPort(authority[bracket...].dropFirst(), otherwise: usualPort))
    }

    /// - Parameter text: with its `:`, or empty.
    private static func readPort(_ text: Substring, otherwise usualPort: Int) throws(EgressFailure) -> Int {
        guard !text.isEmpty else { return usualPort }
        guard text.hasPrefix(":"), let port = Int(decimal: text.dropFirst().utf8), (1...65535).contains(port) else {
            throw .invalidURL("its port is no number from 1 to 65535")
        }
        return port
    }

    private static func readHost(_ text: Substring) throws(EgressFailure) -> Host {
        if let address = IPAddress(String(text)), address.family == .v4 { return .address(address) }
        let labels = text.split(separator: ".", omittingEmptySubsequences: false)
        guard text.utf8.count <= 253, labels.allSatisfy({ isLabel($0.utf8) }) else {
            throw .invalidURL("its host is no name of letters, digits and hyphens")
        }
        // As browsers do: a name whose last part is a number would be read as an address by the C library.
        guard let last = labels.last?.lowercased(), !last.utf8.allSatisfy(\.isDigit), !last.hasPrefix("0x") else {
            throw .invalidURL("its host is no IPv4 address of four decimal numbers")
        }
        return .name(text.lowercased())
    }

    private static func isLabel(_ label: Substring.UTF8View) -> Bool {
        (1...63).contains(label.count) && label.first != UInt8(ascii: "-") && label.last != UInt8(ascii: "-")
            && label.allSatisfy { $0.isDigit || $0.isLetter || $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: "_") }
    }

    private static func escapesAreWhole(_ text: Substring) -> Bool {
        text.split(separator: "%", omittingEmptySubsequences: false).dropFirst().allSatisfy { part in
            part.utf8.count >= 2 && part.utf8.prefix(2).allSatisfy(\.isHexDigit)
        }
    }
}
