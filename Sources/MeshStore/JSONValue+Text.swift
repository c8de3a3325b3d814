internal import Foundation
internal import MeshModel
internal import Postgres

extension JSONValue {
    /// Reads what a `jsonb` column holds.
    init(_ text: JSONText) throws(PostgresError) {
        do {
            self = try JSONDecoder().decode(JSONValue.self, from: Data(text.text.utf8))
        } catch {
            throw PostgresError(.decoding, "a jsonb value is not readable: \(error)")
        }
    }

    /// What is written to a `jsonb` column.
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

extension Row {
    func json(_ column: String) throws(PostgresError) -> JSONValue {
        try JSONValue(try self[column, as: JSONText.self])
    }

    func jsonIfAny(_ column: String) throws(PostgresError) -> JSONValue? {
        guard let text: JSONText = try self[column] else { return nil }
        return try JSONValue(text)
    }

    /// A JSON object of strings, such as labels.
    func stringMap(_ column: String) throws(PostgresError) -> [String: String] {
        let text = try self[column, as: JSONText.self]
        if text.text == "{}" { return [:] }
        return (try JSONValue(text).objectValue ?? [:]).compactMapValues(\.stringValue)
    }

    func name(_ column: String) throws(PostgresError) -> Name {
        let text = try self[column, as: String.self]
        guard let name = Name(text) else {
            throw PostgresError(.decoding, "column \(column) holds \"\(text)\", which is no name")
        }
        return name
    }
}
