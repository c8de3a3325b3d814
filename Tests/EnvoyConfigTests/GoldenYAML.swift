import Documents
import Foundation
import Yams

/// Documents as YAML that people review: what is short stands on one line, names come first.
enum GoldenYAML {
    /// The characters of a line beside which a mapping or a list is spread over several.
    private static let width = 100
    /// Members that come before the others, which are in the order of their names.
    private static let first = ["name", "cluster_name", NamedDefaults.key, "domains", "match"]

    static func data(_ value: JSONValue) throws -> Data {
        Data(try Yams.serialize(node: node(value), width: width, allowUnicode: true).utf8)
    }

    /// Reads what ``data(_:)`` writes, and what people write.
    static func value(_ data: Data) throws -> JSONValue {
        value(of: try Yams.load(yaml: String(decoding: data, as: UTF8.self)) ?? NSNull())
    }

    // MARK: Writing

    private static func node(_ value: JSONValue) throws -> Node {
        switch value {
        case .null: try Node(NSNull())
        case .bool(let bool): try Node(bool)
        case .integer(let integer): try Node(integer)
        case .number(let number): try Node(number)
        case .string(let text): try text.represented()
        case .array(let elements):
            Node(try elements.map(node), Tag(.seq), isFlow(value) || elements.allSatisfy(\.isScalar) ? .flow : .block)
        case .object(let members):
            Node(try ordered(members).map { (Node($0), try node($1)) }, Tag(.map), isFlow(value) ? .flow : .block)
        }
    }

    private static func isFlow(_ value: JSONValue) -> Bool { value.line.utf8.count <= width }

    private static func ordered(_ members: [String: JSONValue]) -> [(String, JSONValue)] {
        func rank(_ name: String) -> Int { first.firstIndex(of: name) ?? first.count }
        return members.sorted { (rank($0.key), $0.key) < (rank($1.key), $1.key) }.map { ($0, $1) }
    }

    // MARK: Reading

    private static func value(of loaded: Any) -> JSONValue {
        switch loaded {
        case let bool as Bool: .bool(bool)
        case let integer as Int: .integer(Int64(integer))
        case let number as Double: .number(number)
        case let text as String: .string(text)
        case let elements as [Any]: .array(elements.map(value))
        case let members as [String: Any]: .object(members.mapValues(value))
        default: .null
        }
    }
}

extension JSONValue {
    /// As about one line of YAML says it; how long that is decides about layout and about which of several ways to say it is taken.
    var line: String {
        switch self {
        case .null: "null"
        case .bool(let bool): "\(bool)"
        case .integer(let integer): "\(integer)"
        case .number(let number): "\(number)"
        case .string(let text): text
        case .array(let elements): "[\(elements.map(\.line).joined(separator: ", "))]"
        case .object(let members): "{\(members.map { "\($0): \($1.line)" }.joined(separator: ", "))}"
        }
    }

    fileprivate var isScalar: Bool {
        switch self {
        case .array, .object: false
        default: true
        }
    }
}
