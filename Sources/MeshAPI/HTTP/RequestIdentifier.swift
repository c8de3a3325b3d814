internal import HTTPTypes

/// An identifier that ties an answer, a line in the log and an entry of the audit trail together.
enum RequestIdentifier {
    /// The client's own `X-Request-Id` if it is 1 to 128 visible ASCII characters, else a new random one.
    static func of(_ head: HTTPRequest) -> String {
        if let given = head.headerFields[.requestId], (1...128).contains(given.utf8.count),
            given.utf8.allSatisfy({ (0x21...0x7e).contains($0) })
        {
            return given
        }
        let random = String(UInt64.random(in: .min ... .max), radix: 36)
        return "req-" + String(repeating: "0", count: max(0, 13 - random.utf8.count)) + random
    }
}
