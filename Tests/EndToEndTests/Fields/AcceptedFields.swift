import Documents

/// The fields that the API accepts: those that are declared, less those that are refused.
enum AcceptedFields {
    /// - Returns: patterns of pointers to fields that are no objects themselves.
    static func of<Noun: Document>(_ noun: Noun.Type) -> Set<String> { Set(leaves(of: noun.schema, below: "/spec")) }

    /// A pointer without the places in lists and the keys of maps, which in these tests begin with `x-`.
    static func pattern(_ tokens: [String]) -> String {
        tokens.map { "/" + (Int($0) != nil || $0.hasPrefix("x-") ? "*" : $0) }.joined()
    }

    private static func leaves(of schema: ObjectSchema, below place: String) -> [String] {
        schema.members.filter { $0.presence != .refused }.flatMap { member in
            let here = "\(place)/\(member.name)"
            let nested = leaves(of: member.schema, below: here)
            return nested.isEmpty ? [here] : nested
        }
    }

    private static func leaves(of schema: Schema, below place: String) -> [String] {
        switch schema {
        case .value, .named: []
        case .list(let element, _), .map(let element, _): leaves(of: element, below: place + "/*")
        case .object(let object): leaves(of: object, below: place)
        }
    }
}
