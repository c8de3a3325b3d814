/// A bound on calls that are made at once: all that name it count together.
package struct EgressBound: Hashable, Sendable {
    /// The subject of the count, as the failure says it: `provider shop/db`.
    package let name: String
    package let limit: Int

    package init(_ name: String, _ limit: Int) {
        self.name = name
        self.limit = limit
    }
}

/// One HTTP request to somewhere outside.
package struct EgressRequest: Sendable {
    package var method: String
    package var url: String
    /// Without those that frame the message (`Host`, `Content-Length`, …).
    package var headers: [(name: String, value: String)]
    package var body: [UInt8]
    /// The time for everything from waiting for its turn to the last byte; at most an hour.
    package var timeout: Duration
    /// The number of bytes that the body of the response may have.
    package var responseLimit: Int
    /// Whether of a longer body the beginning is the answer; otherwise there is none.
    package var cutsResponse: Bool
    package var bounds: [EgressBound]

    package init(
        method: String = "GET", url: String, headers: [(name: String, value: String)] = [], body: [UInt8] = [],
        timeout: Duration = .seconds(5), responseLimit: Int = 1 << 20, cutsResponse: Bool = false,
        bounds: [EgressBound] = []
    ) {
        self.method = method
        self.url = url
        self.headers = headers
        self.body = body
        self.timeout = timeout
        self.responseLimit = responseLimit
        self.cutsResponse = cutsResponse
        self.bounds = bounds
    }

    private static let methods: Set<String> = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"]
    /// Headers that say where a message begins and ends and whom it is for.
    private static let framing: Set<String> = [
        "host", "content-length", "transfer-encoding", "connection", "keep-alive", "te", "trailer", "upgrade", "expect",
        "proxy-connection", "accept-encoding",
    ]

    /// - Throws: ``EgressFailure/invalidRequest(_:)`` if the method or a header could be taken for something else.
    package func check() throws(EgressFailure) {
        guard Self.methods.contains(method) else { throw .invalidRequest("the method is none of those that are sent") }
        for (name, value) in headers {
            guard !name.isEmpty, name.utf8.allSatisfy(\.isTokenByte) else {
                throw .invalidRequest("the name of a header is no token")
            }
            guard !Self.framing.contains(name.lowercased()) else {
                throw .invalidRequest("\(name) is not for the caller to set")
            }
            guard value.utf8.allSatisfy({ $0 == 0x09 || ($0 >= 0x20 && $0 != 0x7F) }) else {
                throw .invalidRequest("\(name) has a control character")
            }
        }
    }
}

/// The answer to an ``EgressRequest``, whatever its status; a redirect is one, too.
package struct EgressResponse: Sendable {
    package var status: Int
    package var headers: [(name: String, value: String)]
    /// Bytes as they were sent: never decompressed.
    package var body: [UInt8]
}

extension UInt8 {
    var isDigit: Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(self) }
    var isLetter: Bool { (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(self | 0x20) }
    var isHexDigit: Bool { isDigit || (UInt8(ascii: "a")...UInt8(ascii: "f")).contains(self | 0x20) }

    /// Whether RFC 9110 5.6.2 allows it in a token.
    fileprivate var isTokenByte: Bool { isDigit || isLetter || "!#$%&'*+-.^_`|~".utf8.contains(self) }
}
