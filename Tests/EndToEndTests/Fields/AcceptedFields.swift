import Documents
import MeshFixtures

/// The fields that the API accepts: those that are declared, less those that are refused.
enum AcceptedFields {
    /// - Returns: patterns of pointers to fields that are no objects themselves.
    static func of<Noun: Document>(_ noun: Noun.Type) -> Set<String> {
        Set(DeclaredFields.leaves(of: noun.schema, below: "/spec"))
    }

    /// A pointer without the places in lists and the keys of maps, which in these tests begin with `x-`.
    static func pattern(_ tokens: [String]) -> String {
        tokens.map { "/" + (Int($0) != nil || $0.hasPrefix("x-") ? "*" : $0) }.joined()
    }
}
