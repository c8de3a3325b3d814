internal import Documents
internal import HTTPTypes
internal import MeshCore

extension APIRequest {
    /// `Last-Event-ID`: the revision that the client has. Empty is as good as missing, for that is what clients have that
    /// have not had an event yet.
    ///
    /// - Throws: ``Problem`` 400 unless it is a revision.
    func lastEventId() throws -> Revision? {
        guard let field = head.headerFields[.lastEventId]?.trimmed, !field.isEmpty else { return nil }
        guard field.utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }),
            let revision = Revision(field)
        else {
            throw Problem(.badRequest, "invalidHeader", "Last-Event-ID must be the id of an event of this stream")
        }
        return revision
    }

    /// Reports the parameters of pages: a stream has none.
    func refusePaging() {
        for name in ["pageSize", "pageToken"] where query.has(name) {
            query.log.report(QueryParameters.pointer(name), .conflict, "does not go with an event stream")
        }
    }
}

extension HTTPRequest {
    /// Whether the client would rather have an event stream than JSON (RFC 9110 section 12.5.1). It must name it: `*/*`
    /// means JSON, and so do both with the same weight.
    var prefersEvents: Bool {
        guard method == .get || method == .head, let accept = headerFields[.accept] else { return false }
        var weights: [Substring: Double] = [:]
        for range in accept.lowercased().split(separator: ",").prefix(64) {
            let parts = range.split(separator: ";").map { $0.filter { $0 != " " && $0 != "\t" } }
            guard let type = parts.first else { continue }
            let quality = parts.dropFirst().last { $0.hasPrefix("q=") }.map { Double($0.dropFirst(2)) ?? 0 }
            weights[type[...]] = quality ?? 1
        }
        let json = weights["application/json"] ?? weights["application/*"] ?? 0
        return weights["text/event-stream"].map { $0 > json } ?? false
    }
}

extension HTTPField.Name {
    static let lastEventId = HTTPField.Name.literal("Last-Event-ID")
}
