internal import Documents
internal import Foundation
internal import MeshCore
internal import Postgres

extension JSONValue {
    /// Reads what a `jsonb` column holds.
    init(_ text: JSONText) throws(PostgresError) {
        // Labels, annotations and most statuses.
        if text.text == "{}" {
            self = [:]
            return
        }
        do {
            try self.init(json: Data(text.text.utf8))
        } catch {
            throw PostgresError(.decoding, "a jsonb value is not readable: \(error.reason)")
        }
    }

    /// The text that is written to a `jsonb` column.
    var stored: JSONText {
        get throws(StoreError) {
            do {
                let data = try JSONEncoder().encode(self)
                return JSONText(String(decoding: data, as: UTF8.self))
            } catch {
                throw .internal("a document cannot be encoded: \(error)")
            }
        }
    }
}

extension String {
    /// With U+FFFD in place of U+0000.
    var withoutNull: String { utf8.contains(0) ? replacing("\0", with: "\u{FFFD}") : self }
}

extension JSONValue {
    /// With U+FFFD in place of U+0000, in names and values.
    var withoutNull: JSONValue {
        switch self {
        case .null, .bool, .integer, .number: self
        case .string(let text): .string(text.withoutNull)
        case .array(let values): .array(values.map(\.withoutNull))
        case .object(let members):
            .object(
                Dictionary(
                    members.map { ($0.key.withoutNull, $0.value.withoutNull) }, uniquingKeysWith: { _, last in last }))
        }
    }
}

extension Row {
    func json(_ column: String) throws(PostgresError) -> JSONValue {
        try JSONValue(self[column])
    }

    func jsonIfAny(_ column: String) throws(PostgresError) -> JSONValue? {
        guard let text: JSONText = try self[column] else { return nil }
        return try JSONValue(text)
    }

    /// A JSON object of strings, such as labels.
    func stringMap(_ column: String) throws(PostgresError) -> [String: String] {
        let text: JSONText = try self[column]
        if text.text == "{}" { return [:] }
        return (try JSONValue(text).objectValue ?? [:]).compactMapValues(\.stringValue)
    }

    func name(_ column: String) throws(PostgresError) -> Name {
        let text: String = try self[column]
        guard let name = Name(text) else {
            throw PostgresError(.decoding, "column \(column) holds \"\(text)\", which is no name")
        }
        return name
    }

    /// The name in a column, as ``name(_:)``; `nil` where it is empty.
    func nameIfAny(_ column: String) throws(PostgresError) -> Name? {
        try (self[column] as String).isEmpty ? nil : name(column)
    }
}
