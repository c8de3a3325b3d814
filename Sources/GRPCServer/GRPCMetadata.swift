package import HTTP2

/// The request headers of a call, without HTTP/2's own (`:path` …). Values of `-bin` names are left in base64.
package struct GRPCMetadata: Sendable, Hashable {
    /// In the order of the request; names in lower case.
    package var fields: [HTTP2Header]

    package init(fields: [HTTP2Header] = []) {
        self.fields = fields
    }

    package func first(_ name: String) -> String? {
        fields.first { $0.name == name }?.value
    }

    package func values(_ name: String) -> [String] {
        fields.lazy.filter { $0.name == name }.map(\.value)
    }
}

/// `/package.Service/Method`.
package struct GRPCPath: Sendable, Hashable, CustomStringConvertible {
    package let service: String
    package let method: String

    package init(service: String, method: String) {
        self.service = service
        self.method = method
    }

    /// - Returns: `nil` for anything but two non-empty parts.
    package init?(_ path: String) {
        let parts = path.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count == 3, parts[0].isEmpty, !parts[1].isEmpty, !parts[2].isEmpty else { return nil }
        self.init(service: String(parts[1]), method: String(parts[2]))
    }

    package var description: String { "/\(service)/\(method)" }
}
