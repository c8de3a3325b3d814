/// A JSON document as a value: what `spec` and `status` are before and after they are nouns of the model.
///
/// Foundation parses texts (``init(json:)``), and prints them elsewhere; this type gives what it finds a shape that can be
/// walked with a pointer, so that every violation of a document can be reported at once (RFC 9457 `errors[]`).
package enum JSONValue: Hashable, Sendable {
    case null
    case bool(Bool)
    /// A number without fraction that fits 64 bits.
    case integer(Int64)
    case number(Double)
    case string(String)
    case array([JSONValue])
    case object([String: JSONValue])

    /// How JSON Schema calls the kind of this value; used in error messages.
    package var typeName: String {
        switch self {
        case .null: "null"
        case .bool: "boolean"
        case .integer: "integer"
        case .number: "number"
        case .string: "string"
        case .array: "array"
        case .object: "object"
        }
    }

    /// The member of an object, or `nil` if this is no object or has no such member.
    package subscript(name: String) -> JSONValue? {
        guard case .object(let members) = self else { return nil }
        return members[name]
    }

    package var stringValue: String? {
        guard case .string(let value) = self else { return nil }
        return value
    }

    package var integerValue: Int64? {
        guard case .integer(let value) = self else { return nil }
        return value
    }

    /// A number of either sort.
    package var numberValue: Double? {
        switch self {
        case .integer(let number): Double(number)
        case .number(let number): number
        default: nil
        }
    }

    package var boolValue: Bool? {
        guard case .bool(let value) = self else { return nil }
        return value
    }

    package var arrayValue: [JSONValue]? {
        guard case .array(let values) = self else { return nil }
        return values
    }

    package var objectValue: [String: JSONValue]? {
        guard case .object(let members) = self else { return nil }
        return members
    }

    /// An object of the members that are present: how optional fields are left out when a noun becomes JSON.
    package static func fields(_ members: KeyValuePairs<String, JSONValue?>) -> JSONValue {
        var object: [String: JSONValue] = [:]
        for (name, value) in members {
            if let value { object[name] = value }
        }
        return .object(object)
    }

    /// `{"a": "b"}` from a map of strings; `nil` when it is empty, so that it is left out.
    package static func map(_ values: [String: String]) -> JSONValue? {
        values.isEmpty ? nil : .object(values.mapValues(JSONValue.string))
    }

    /// An array of `values`; `nil` when it is empty, so that it is left out.
    package static func list<T>(_ values: [T], _ transform: (T) -> JSONValue) -> JSONValue? {
        values.isEmpty ? nil : .array(values.map(transform))
    }

    /// How deep arrays and objects nest: 0 for a scalar. Walks iteratively so that a hostile document cannot
    /// exhaust the stack.
    package var depth: Int {
        var deepest = 0
        var open: [(value: JSONValue, depth: Int)] = [(self, 0)]
        while let (value, depth) = open.popLast() {
            deepest = max(deepest, depth)
            switch value {
            case .array(let values): open.append(contentsOf: values.map { ($0, depth + 1) })
            case .object(let members): open.append(contentsOf: members.values.map { ($0, depth + 1) })
            default: continue
            }
        }
        return deepest
    }
}

extension JSONValue: ExpressibleByStringLiteral, ExpressibleByIntegerLiteral, ExpressibleByBooleanLiteral,
    ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral, ExpressibleByNilLiteral
{
    package init(stringLiteral value: String) { self = .string(value) }
    package init(integerLiteral value: Int64) { self = .integer(value) }
    package init(booleanLiteral value: Bool) { self = .bool(value) }
    package init(arrayLiteral elements: JSONValue...) { self = .array(elements) }
    package init(dictionaryLiteral elements: (String, JSONValue)...) {
        self = .object(Dictionary(elements, uniquingKeysWith: { _, last in last }))
    }
    package init(nilLiteral: ()) { self = .null }
}

extension JSONValue: Encodable {
    package func encode(to encoder: any Encoder) throws {
        switch self {
        case .object(let members):
            var container = encoder.container(keyedBy: MemberName.self)
            for (name, value) in members { try container.encode(value, forKey: MemberName(stringValue: name)) }
        case .array(let values):
            var container = encoder.unkeyedContainer()
            for value in values { try container.encode(value) }
        default:
            var container = encoder.singleValueContainer()
            switch self {
            case .bool(let value): try container.encode(value)
            case .integer(let value): try container.encode(value)
            case .number(let value): try container.encode(value)
            case .string(let value): try container.encode(value)
            default: try container.encodeNil()
            }
        }
    }

    /// A member name that is not known before the document is read.
    private struct MemberName: CodingKey {
        let stringValue: String
        var intValue: Int? { nil }
        init(stringValue: String) { self.stringValue = stringValue }
        init?(intValue: Int) { return nil }
    }
}
