internal import Documents
internal import Foundation

/// Parameters of a list: `pageSize` (100, at most 1000) and `pageToken`, which only the server can read.
struct Paging<Cursor> {
    let size: Int
    /// The place where the page begins; `nil`: at the beginning.
    let after: Cursor?

    /// Reports what is wrong to the query's log.
    ///
    /// - Parameter cursor: reads the parts of a token of this kind of list.
    init(_ query: QueryParameters, _ cursor: ([String]) -> Cursor?) {
        size = query.integer("pageSize", in: 1...1000) ?? 100
        guard let token = query.text("pageToken") else {
            after = nil
            return
        }
        after = PageToken.parts(token).flatMap(cursor)
        if after == nil {
            query.log.report(
                QueryParameters.pointer("pageToken"), .invalidValue,
                "is not a token that a list of this kind has answered")
        }
    }
}

/// The text form of a place in a list: its parts in base64url (RFC 4648 section 5).
enum PageToken {
    static func of(_ parts: [String]) -> String {
        Data(parts.joined(separator: "/").utf8).base64EncodedString().replacing("+", with: "-").replacing(
            "/", with: "_"
        )
        .replacing("=", with: "")
    }

    static func parts(_ token: String) -> [String]? {
        guard token.utf8.count <= 1024 else { return nil }
        let plain = token.replacing("-", with: "+").replacing("_", with: "/")
        let padded = plain + String(repeating: "=", count: (4 - plain.utf8.count % 4) % 4)
        return Data(base64Encoded: padded).flatMap { String(data: $0, encoding: .utf8) }?
            .split(separator: "/", omittingEmptySubsequences: false).map(String.init)
    }
}

/// `labelSelector`: labels that objects must have, as in Kubernetes' equality-based form: `app=web,tier=front`.
enum LabelSelector {
    /// Reports what is wrong to the query's log.
    static func read(_ query: QueryParameters) -> [(name: String, value: String)] {
        guard let text = query.text("labelSelector") else { return [] }
        let pointer = QueryParameters.pointer("labelSelector")
        let terms = text.split(separator: ",", omittingEmptySubsequences: false)
        guard terms.count <= 16 else {
            query.log.report(pointer, .tooMany, "must have at most 16 terms")
            return []
        }
        return terms.compactMap { term in
            let parts = term.replacing("==", with: "=").split(separator: "=", omittingEmptySubsequences: false)
            let name = String(parts[0]).trimmed
            guard parts.count == 2, !name.isEmpty, !name.hasSuffix("!") else {
                query.log.report(pointer, .invalidFormat, "must be terms name=value, separated by commas")
                return nil
            }
            return (name, String(parts[1]).trimmed)
        }
    }
}
