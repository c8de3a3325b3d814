/// The place of a provider and how it is called; what is asked comes from elsewhere and cannot change that.
package struct ProviderAddress: Sendable {
    /// Its URL, which may have a path, and no query.
    package var base: String
    /// Headers that go along, such as credentials.
    package var headers: [(name: String, value: String)]
    package var timeout: Duration
    package var bounds: [EgressBound]

    package init(
        base: String, headers: [(name: String, value: String)] = [], timeout: Duration = .seconds(5),
        bounds: [EgressBound] = []
    ) {
        self.base = base
        self.headers = headers
        self.timeout = timeout
        self.bounds = bounds
    }

    /// A request below the base.
    ///
    /// - Parameter path: begins with `/`; its segments do not lead back up.
    /// - Parameter query: as it is sent, percent-encoded.
    /// - Throws: ``EgressFailure/invalidURL(_:)`` if the path or the query would say something else.
    func request(_ path: String, query: String?) throws(EgressFailure) -> EgressRequest {
        guard !base.contains("?") else { throw .invalidURL("the provider's URL has a query") }
        guard path.isEmpty || path.hasPrefix("/") else { throw .invalidURL("the path does not begin with /") }
        guard !path.contains("?") else { throw .invalidURL("the path has a query") }
        guard !Self.leadsUp(path) else { throw .invalidURL("the path has a segment . or ..") }
        let url = (base.hasSuffix("/") ? String(base.dropLast()) : base) + path + (query.map { "?\($0)" } ?? "")
        return EgressRequest(url: url, headers: headers, timeout: timeout, bounds: bounds)
    }

    /// Whether a server that decodes first would find `.` or `..` between slashes.
    private static func leadsUp(_ path: String) -> Bool {
        path.lowercased().replacing("%2e", with: ".").replacing("%2f", with: "/").replacing("%5c", with: "/")
            .split(separator: "/").contains { $0 == "." || $0 == ".." }
    }

    /// Everything but the unreserved characters of RFC 3986 as `%` and two digits.
    static func percentEncoded(_ text: String) -> String {
        var encoded = ""
        for byte in text.utf8 {
            if byte.isDigit || byte.isLetter || "-._~".utf8.contains(byte) {
                encoded.unicodeScalars.append(Unicode.Scalar(byte))
            } else {
                encoded += byte < 16 ? "%0" : "%"
                encoded += String(byte, radix: 16, uppercase: true)
            }
        }
        return encoded
    }
}
