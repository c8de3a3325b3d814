package import Documents
internal import Foundation

/// JSON as bytes (RFC 8259), read and written by Foundation; what comes in is held to a few things more, because it comes
/// from strangers.
package enum JSONText {
    /// Why bytes are not the JSON that is accepted here: a phrase that goes on after "the body".
    package struct Failure: Error, Equatable {
        package var reason: String
    }

    /// How deep arrays and objects may nest.
    package static let maximumDepth = 64

    /// Reads a whole text, as `JSONValue.init(json:)` does.
    ///
    /// - Throws: ``Failure`` for anything but one value of valid UTF-8, for nesting beyond ``maximumDepth``, and for the
    ///   character U+0000, which PostgreSQL's `jsonb` cannot hold.
    package static func parse(_ bytes: [UInt8]) throws(Failure) -> JSONValue {
        // Foundation guesses UTF-16 and UTF-32 too, and repairs broken UTF-8.
        guard String(validating: bytes, as: UTF8.self) != nil, !bytes.contains(0) else {
            throw Failure(reason: "is not valid UTF-8 text")
        }
        let value: JSONValue
        do {
            value = try JSONValue(json: Data(bytes))
        } catch {
            throw Failure(reason: "is not valid JSON: \(error.reason)")
        }
        // Foundation has a limit of its own, 512, which keeps its recursion within the stack.
        guard value.depth <= maximumDepth else {
            throw Failure(reason: "nests arrays and objects deeper than \(maximumDepth) levels")
        }
        guard !value.hasNullCharacter else {
            throw Failure(reason: "has the character U+0000 in a string, which cannot be stored")
        }
        return value
    }

    /// Members are sorted by name, so that equal values are equal texts.
    package static func print(_ value: JSONValue) -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        encoder.nonConformingFloatEncodingStrategy = .convertToString(
            positiveInfinity: "Infinity", negativeInfinity: "-Infinity", nan: "NaN")
        do {
            return Array(try encoder.encode(value))
        } catch {
            preconditionFailure("every value has a text: \(error)")
        }
    }
}

extension JSONValue {
    /// Whether U+0000 is in any of its strings or names.
    fileprivate var hasNullCharacter: Bool {
        switch self {
        case .null, .bool, .integer, .number: false
        case .string(let text): text.utf8.contains(0)
        case .array(let elements): elements.contains(where: \.hasNullCharacter)
        case .object(let members): members.contains { $0.key.utf8.contains(0) || $0.value.hasNullCharacter }
        }
    }
}
