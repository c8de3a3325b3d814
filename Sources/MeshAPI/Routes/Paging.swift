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
