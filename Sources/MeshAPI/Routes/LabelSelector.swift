internal import Documents

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
