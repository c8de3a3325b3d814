import Documents
import Yams

/// The components of the OpenAPI document that are made of declared fields.
struct DeclaredSchemas {
    /// By name, in the order in which they are first met.
    private(set) var schemas: [(name: String, schema: ObjectSchema)] = []

    /// What they name besides, such as `Port`.
    private(set) var named: Set<String> = []

    /// - Parameter roots: each has a name.
    /// - Throws: ``OpenAPIProblem`` if two are called the same.
    init(_ roots: [ObjectSchema]) throws { for root in roots { try collect(root) } }

    private mutating func collect(_ schema: ObjectSchema) throws {
        if let name = schema.name {
            if let known = schemas.first(where: { $0.name == name })?.schema {
                guard known.members.map(\.name) == schema.members.map(\.name) else {
                    throw OpenAPIProblem("two documents are called \(name)")
                }
                return
            }
            schemas.append((name, schema))
        }
        for member in schema.members where member.presence != .refused { try collect(member.schema) }
    }

    private mutating func collect(_ schema: Schema) throws {
        switch schema {
        case .value: return
        case .named(let name, _): named.insert(name)
        case .list(let element, _), .map(let element, _): try collect(element)
        case .object(let schema): try collect(schema)
        }
    }
}

extension ObjectSchema {
    /// What is refused is no member: it stands with the reason under `x-refused`.
    var node: Node {
        var pairs: [(Node, Node)] = []
        if let description { pairs.append((Node("description"), Node(description))) }
        pairs += [(Node("type"), Node("object")), (Node("additionalProperties"), Node("false", Tag(.bool)))]
        let required = members.filter { $0.presence == .required }.map { Node($0.name) }
        if !required.isEmpty { pairs.append((Node("required"), Node(required, .implicit, .flow))) }
        let properties = members.filter { $0.presence != .refused }.map { (Node($0.name), $0.node) }
        if !properties.isEmpty { pairs.append((Node("properties"), Node(properties))) }
        let refused = members.filter { $0.presence == .refused }.map { (Node($0.name), Node($0.description)) }
        if !refused.isEmpty { pairs.append((Node("x-refused"), Node(refused))) }
        return Node(pairs)
    }
}

extension MemberSchema {
    fileprivate var node: Node {
        var pairs = schema.pairs
        // An object that is written down where it stands may have a description of its own.
        let own = pairs.first { $0.0.string == "description" }?.1.string
        pairs.removeAll { $0.0.string == "description" }
        let text = [description, own, schema.note].compactMap(\.self).joined(separator: " ")
        pairs.append((Node("description"), Node(text)))
        if let defaultValue { pairs.append((Node("default"), defaultValue.node)) }
        if case .early = presence { pairs.append((Node("deprecated"), Node("true", Tag(.bool)))) }
        return Node(pairs)
    }
}

extension Schema {
    /// What its keywords cannot say.
    var note: String? {
        switch self {
        case .value(_, let note), .named(_, let note), .map(_, let note): note
        case .list, .object: nil
        }
    }

    fileprivate var pairs: [(Node, Node)] {
        switch self {
        case .value(let keywords, _):
            return Self.order.compactMap { name in keywords[name].map { (Node(name), $0.node) } }
        case .named(let name, _): return Self.reference(name)
        case .list(let element, let count):
            var pairs = [(Node("type"), Node("array")), (Node("items"), Node(element.pairs))]
            if count.lowerBound > 0 { pairs.append((Node("minItems"), Node(String(count.lowerBound), Tag(.int)))) }
            return pairs + [(Node("maxItems"), Node(String(count.upperBound), Tag(.int)))]
        case .map(let element, _):
            return [(Node("type"), Node("object")), (Node("additionalProperties"), Node(element.pairs))]
        case .object(let schema):
            if let name = schema.name { return Self.reference(name) }
            return schema.node.mapping.map { $0.map { ($0.key, $0.value) } } ?? []
        }
    }

    private static func reference(_ name: String) -> [(Node, Node)] {
        Node.reference("schemas", name).mapping.map { $0.map { ($0.key, $0.value) } } ?? []
    }

    /// Keywords of values, as they are written.
    private static let order = ["type", "const", "enum", "minimum", "maximum", "maxLength", "examples"]
}

extension JSONValue {
    var node: Node {
        switch self {
        case .null: Node("null", Tag(.null))
        case .bool(let flag): Node("\(flag)", Tag(.bool))
        case .integer(let number): Node("\(number)", Tag(.int))
        case .number(let number): Node("\(number)", Tag(.float))
        case .string(let text): Node(text, Tag(.str), Self.isPlain(text) ? .any : .doubleQuoted)
        case .array(let elements): Node(elements.map(\.node), .implicit, .flow)
        case .object(let members):
            Node(members.sorted { $0.key < $1.key }.map { (Node($0.key), $0.value.node) }, .implicit, .flow)
        }
    }

    /// Whether YAML takes the text for a string without quotes.
    private static func isPlain(_ text: String) -> Bool {
        text.first?.isLetter == true && text.allSatisfy { $0.isLetter || $0.isNumber || $0 == "_" || $0 == "-" }
            && !["true", "false", "null", "yes", "no", "on", "off", "y", "n"].contains(text.lowercased())
    }
}
