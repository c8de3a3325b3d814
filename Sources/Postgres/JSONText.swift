/// A JSON document as text: bound as `jsonb`, read from `jsonb` and `json`.
///
/// The server checks it when it is bound (22P02). What is read back is the server's own spelling: keys in its order,
/// one space after colon and comma.
package struct JSONText: Hashable, Sendable {
    package var text: String

    package init(_ text: String) { self.text = text }

    package init(utf8 bytes: some Collection<UInt8>) { text = String(decoding: bytes, as: UTF8.self) }
}

/// Source: PostgreSQL `jsonb_recv` in `jsonb.c`: one byte of version, 1, then text.
extension JSONText: PostgresValue {
    package static var postgresType: PostgresType { .jsonb }
    package static var postgresArrayType: PostgresType { .jsonbArray }

    package func encode(into bytes: inout [UInt8]) {
        bytes.append(1)
        bytes.append(contentsOf: text.utf8)
    }

    package static func decode(_ bytes: Span<UInt8>, as type: PostgresType) -> JSONText? {
        switch type {
        case .jsonb:
            guard bytes.count > 0, bytes[0] == 1 else { return nil }
            return String(validating: bytes.extracting(1...)).map(JSONText.init)
        case .json: return String(validating: bytes).map(JSONText.init)
        default: return nil
        }
    }
}
