/// One thing that is wrong with a document, in the form of `errors[]` of a problem answer (RFC 9457).
package struct Violation: Hashable, Sendable {
    /// What kind of mistake it is; part of the API's contract, so scripts may test for it.
    package enum Code: String, Sendable {
        case required, unknownField, wrongType, outOfRange, invalidFormat, invalidValue, tooMany, tooLong, duplicate
        case unknownReference, conflict, immutable, unsupported
        /// No mistake: what a call does to other objects, or will. Only among warnings.
        case consequence
        /// Of warnings: what the compiler says of a write that is not refused for it.
        case unreachable, duplicateAddress, redirected, pinnedToRetired, noReadyEndpoints, notForProxyless, delegated
    }

    /// Where, as a JSON Pointer (RFC 6901) into the request body, for example `/spec/http/0/route/1/weight`.
    package var pointer: JSONPointer
    package var code: Code
    /// A sentence for people.
    package var detail: String
    /// What would have been accepted, when that is a short list.
    package var choices: [String]
    /// What the pointer points into, if that is not the request's document: another object, which a write has an effect on.
    package var object: ObjectKey?

    package init(
        _ pointer: JSONPointer, _ code: Code, _ detail: String, choices: [String] = [], object: ObjectKey? = nil
    ) {
        self.pointer = pointer
        self.code = code
        self.detail = detail
        self.choices = choices
        self.object = object
    }
}

/// A JSON Pointer (RFC 6901): the path to a value inside a document; empty for the document itself.
package struct JSONPointer: Hashable, Sendable, CustomStringConvertible {
    package private(set) var tokens: [String]

    package init(_ tokens: [String] = []) { self.tokens = tokens }

    package static let root = JSONPointer()

    package func appending(_ token: String) -> JSONPointer { JSONPointer(tokens + [token]) }
    package func appending(_ index: Int) -> JSONPointer { appending(String(index)) }

    /// `/spec/http/0`, with `~` and `/` escaped as `~0` and `~1`.
    package var description: String {
        tokens.map { token in
            var escaped = "/"
            for character in token {
                switch character {
                case "~": escaped += "~0"
                case "/": escaped += "~1"
                default: escaped.append(character)
                }
            }
            return escaped
        }.joined()
    }
}

/// Gathers what is wrong while a document is read, so that all of it is reported at once.
///
/// A reference on purpose: the readers of nested objects write to the same log. It never leaves the function that
/// reads one document.
package final class ViolationLog {
    package private(set) var violations: [Violation] = []
    /// Things that are accepted but deserve a word, such as an outdated spelling.
    package private(set) var warnings: [Violation] = []
    /// Fields nobody asked for: violations under strict field validation, warnings under `fieldValidation=warn`.
    package private(set) var unknownFields: [Violation] = []

    package init() {}

    package func report(_ violation: Violation) { violations.append(violation) }

    package func report(
        _ pointer: JSONPointer, _ code: Violation.Code, _ detail: String, choices: [String] = []
    ) {
        violations.append(Violation(pointer, code, detail, choices: choices))
    }

    package func warn(_ pointer: JSONPointer, _ code: Violation.Code, _ detail: String, object: ObjectKey? = nil) {
        warnings.append(Violation(pointer, code, detail, object: object))
    }

    func reportUnknown(_ violation: Violation) { unknownFields.append(violation) }
}
