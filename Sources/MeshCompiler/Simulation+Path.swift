extension Simulation {
    /// The path by which a sidecar routes a request, and which it passes on: that of the request, normalized (RFC 3986, section
    /// 6.2.2) as Envoy does with `normalize_path`. Dot segments are taken out, also where their dots are percent-encoded or
    /// parameters follow (`..;a`); `\` is `/`; letters, digits and `-._~` are not encoded; what no path may have is. Slashes that
    /// follow each other stay, and so does what looks like an encoding and is none.
    ///
    /// What Envoy 1.40 does with each character, and with a hundred odd paths, was observed; the documentation leaves it to the
    /// library.
    ///
    /// - Parameter path: with or without a query, which stays as it is.
    /// - Returns: `nil` for what Envoy answers 400: a fragment, a NUL, or what is no visible ASCII.
    package static func normalized(_ path: String) -> String? {
        guard path.utf8.allSatisfy({ (0x21...0x7E).contains($0) && $0 != UInt8(ascii: "#") }) else { return nil }
        let parts = path.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
        let query = parts.count > 1 ? "?" + parts[1] : ""
        var segments: [String] = []
        var isOpen = false
        for segment in parts[0].replacing("\\", with: "/").split(separator: "/", omittingEmptySubsequences: false)
            .dropFirst()
        {
            guard let text = canonical(segment) else { return nil }
            let name = segment.first == "." ? segment.prefix { $0 != ";" } : segment
            isOpen = true
            switch (name, text) {
            case (".", _), (_, "."): continue
            case ("..", _), (_, ".."): _ = segments.popLast()
            default:
                segments.append(text)
                isOpen = false
            }
        }
        return "/" + segments.joined(separator: "/") + (isOpen && !segments.isEmpty ? "/" : "") + query
    }

    /// - Returns: `nil` if an encoded NUL is in it.
    private static func canonical(_ segment: Substring) -> String? {
        var result = ""
        var rest = Array(segment.utf8)[...]
        while let byte = rest.popFirst() {
            if byte == UInt8(ascii: "%"), let encoded = value(of: rest.prefix(2)) {
                if encoded == 0 { return nil }
                if isUnreserved(encoded) {
                    rest.removeFirst(2)
                    result.unicodeScalars.append(Unicode.Scalar(encoded))
                    continue
                }
            }
            if "\"<>^`{|}".utf8.contains(byte) {
                result += "%" + String(byte, radix: 16, uppercase: true)
            } else {
                result.unicodeScalars.append(Unicode.Scalar(byte))
            }
        }
        return result
    }

    /// - Returns: `nil` for anything but two hexadecimal digits.
    private static func value(of digits: ArraySlice<UInt8>) -> UInt8? {
        guard digits.count == 2, digits.allSatisfy({ Character(Unicode.Scalar($0)).isHexDigit }) else { return nil }
        return UInt8(String(decoding: digits, as: UTF8.self), radix: 16)
    }

    private static func isUnreserved(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"):
            true
        default: "-._~".utf8.contains(byte)
        }
    }
}
