import Documents
import Foundation
import MeshFixtures

/// Blocks for what most resources have in common: goldens name them and say only what differs.
///
/// A block belongs to a field, whatever message the field is in. An object in such a field that says `defaults: outbound` is that block,
/// changed by what else the object says:
///
/// - A member replaces that of the block; objects are merged, lists are not.
/// - `null` takes a member away.
/// - An object that names a block itself is that block, and nothing of the member that it replaces.
/// - `$name` in a block is the text that the object says of its member `name`.
///
/// So nothing is hidden: a golden and the blocks give every field of a resource again (``expanded(_:in:)``).
struct NamedDefaults {
    static let key = "defaults"
    static let file = Golden.tests.appending(path: "EnvoyConfigTests/Golden/defaults.yaml")

    /// By field and name; blocks that they were made of are in them.
    private var blocks: [String: [String: JSONValue]]

    /// A block, by its field and its name there.
    struct Name: Hashable {
        var field: String
        var name: String
    }

    struct Unknown: Error, Equatable { var name: Name }

    /// - Parameter document: the blocks by field and name; one may be another one with changes.
    init(_ document: JSONValue) throws {
        blocks = (document.objectValue ?? [:]).mapValues { $0.objectValue ?? [:] }
        let expanded = try blocks.map { field, blocks in
            (field, try blocks.mapValues { try self.expanded($0, in: field) })
        }
        blocks = Dictionary(uniqueKeysWithValues: expanded)
    }

    /// Reads those of the goldens.
    static func read() throws -> NamedDefaults { try NamedDefaults(GoldenYAML.value(Data(contentsOf: file))) }

    // MARK: Expanding

    /// The whole of what ``abbreviated(_:in:)`` has made short.
    ///
    /// - Parameter field: the one that the value stands in, perhaps as an element of a list; a document stands in none.
    func expanded(_ value: JSONValue, in field: String = "") throws -> JSONValue {
        switch value {
        case .array(let elements): .array(try elements.map { try expanded($0, in: field) })
        case .object(var members):
            if case .string(let name)? = members.removeValue(forKey: Self.key) {
                try changed(block(name, of: field, for: members), by: members)
            } else {
                .object(try expanded(members))
            }
        default: value
        }
    }

    private func expanded(_ members: [String: JSONValue]) throws -> [String: JSONValue] {
        Dictionary(uniqueKeysWithValues: try members.map { ($0, try expanded($1, in: $0)) })
    }

    private func changed(_ block: JSONValue, by changes: [String: JSONValue]) throws -> JSONValue {
        guard case .object(var members) = block else { return .object(try expanded(changes)) }
        for (field, change) in changes {
            if change == .null {
                members[field] = nil
            } else if let member = members[field], let changes = change.objectValue, changes[Self.key] == nil {
                members[field] = try changed(member, by: changes)
            } else {
                members[field] = try expanded(change, in: field)
            }
        }
        return .object(members)
    }

    private func block(_ name: String, of field: String, for members: [String: JSONValue]) throws -> JSONValue {
        guard let block = blocks[field]?[name] else { throw Unknown(name: Name(field: field, name: name)) }
        return try expanded(block, in: field).filled(from: members)
    }

    // MARK: Abbreviating

    /// The shortest way to say a value with the blocks that there are, of several the first by name.
    ///
    /// - Parameter field: as in ``expanded(_:in:)``.
    func abbreviated(_ value: JSONValue, in field: String = "") -> JSONValue {
        switch value {
        case .array(let elements): return .array(elements.map { abbreviated($0, in: field) })
        case .object(let members):
            let plain = members.map { ($0, abbreviated($1, in: $0)) }
            let candidates = (blocks[field] ?? [:]).sorted { $0.key < $1.key }.map { name, block in
                var changes = differences(from: block.filled(from: members), to: members)
                for name in block.references where members[name]?.stringValue != nil { changes[name] = members[name] }
                changes[Self.key] = .string(name)
                return JSONValue.object(changes)
            }
            return ([.object(Dictionary(uniqueKeysWithValues: plain))] + candidates).shortest
        default: return value
        }
    }

    private func differences(from block: JSONValue, to members: [String: JSONValue]) -> [String: JSONValue] {
        let before = block.objectValue ?? [:]
        var changes: [String: JSONValue] = [:]
        for field in before.keys where members[field] == nil { changes[field] = .null }
        for (field, member) in members where before[field] != member {
            let replacement = abbreviated(member, in: field)
            guard let old = before[field], case .object = old, case .object(let new) = member else {
                changes[field] = replacement
                continue
            }
            let merged = JSONValue.object(differences(from: old, to: new))
            changes[field] = replacement[Self.key] == nil ? merged : [merged, replacement].shortest
        }
        return changes
    }
}

extension NamedDefaults {
    /// The blocks that a value names.
    ///
    /// - Parameter field: as in ``expanded(_:in:)``.
    static func names(in value: JSONValue, field: String = "") -> Set<Name> {
        switch value {
        case .array(let elements): return elements.reduce(into: []) { $0.formUnion(names(in: $1, field: field)) }
        case .object(let members):
            var found: Set<Name> = []
            if case .string(let name)? = members[key] { found.insert(Name(field: field, name: name)) }
            return members.reduce(into: found) { $0.formUnion(names(in: $1.value, field: $1.key)) }
        default: return []
        }
    }
}

extension [JSONValue] {
    /// The first of the shortest.
    fileprivate var shortest: JSONValue { self.min { $0.line.utf8.count < $1.line.utf8.count } ?? .null }
}

extension JSONValue {
    /// The block for an object that has some members: with the texts that it names by `$`.
    fileprivate func filled(from members: [String: JSONValue]) -> JSONValue {
        switch self {
        case .string: reference.flatMap { members[$0]?.stringValue }.map(JSONValue.string) ?? self
        case .array(let elements): .array(elements.map { $0.filled(from: members) })
        case .object(let fields): .object(fields.mapValues { $0.filled(from: members) })
        default: self
        }
    }

    /// The members that ``filled(from:)`` asks for.
    fileprivate var references: Set<String> {
        switch self {
        case .string: Set([reference].compactMap(\.self))
        case .array(let elements): elements.reduce(into: []) { $0.formUnion($1.references) }
        case .object(let fields): fields.values.reduce(into: []) { $0.formUnion($1.references) }
        default: []
        }
    }

    private var reference: String? {
        guard case .string(let text) = self, text.hasPrefix("$") else { return nil }
        return String(text.dropFirst())
    }
}
