package import Documents

/// The fields that a kind declares, as patterns of pointers: with `*` for places in lists and keys of maps.
package enum DeclaredFields {
    /// Those that are accepted and are no objects themselves.
    package static func leaves(of schema: ObjectSchema, below place: String = "") -> [String] {
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

    /// Those that a document has.
    package static func patterns(in document: JSONValue, _ schema: ObjectSchema, below place: String = "") -> [String] {
        schema.members.flatMap { member -> [String] in
            guard let value = document[member.name] else { return [] }
            let here = "\(place)/\(member.name)"
            return leaves(of: member.schema, below: here).isEmpty
                ? [here] : patterns(in: value, member.schema, below: here)
        }
    }

    private static func patterns(in value: JSONValue, _ schema: Schema, below place: String) -> [String] {
        switch schema {
        case .value, .named: []
        case .list(let element, _):
            (value.arrayValue ?? []).flatMap { patterns(in: $0, element, below: place + "/*") }
        case .map(let element, _):
            (value.objectValue ?? [:]).values.flatMap { patterns(in: $0, element, below: place + "/*") }
        case .object(let object): patterns(in: value, object, below: place)
        }
    }
}
