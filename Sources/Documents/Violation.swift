internal import RE2

/// One thing that is wrong with a document, in the form of `errors[]` of a problem answer (RFC 9457).
package struct Violation: Hashable, Sendable {
    /// The kind of mistake; part of the API's contract, so scripts may test for it.
    package enum Code: String, Sendable {
        case required, unknownField, wrongType, outOfRange, invalidFormat, invalidValue, tooMany, tooLong, duplicate
        case unknownReference, conflict, immutable, unsupported
        /// No mistake: what a call does to other objects, or will. Only among warnings.
        case consequence
        /// The code of a warning: what the compiler says of a write that is not refused for it.
        case unreachable, duplicateAddress, redirected, pinnedToRetired, noReadyEndpoints, delegated
    }

    /// The place, as a JSON Pointer (RFC 6901) into the request body, for example `/spec/http/0/route/1/weight`.
    package var pointer: JSONPointer
    package var code: Code
    /// A sentence for people.
    package var detail: String
    /// The values that would have been accepted, when that is a short list.
    package var choices: [String]
    /// The document that the pointer points into, if that is not the request's document: how another object is named, which a write has an
    /// effect on.
    package var object: JSONValue?

    package init(
        _ pointer: JSONPointer, _ code: Code, _ detail: String, choices: [String] = [], object: JSONValue? = nil
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

/// Gathers what is wrong while a document is read, so that all of it is reported at once; of very much, the first
/// ``Limits/violations`` and how many there are besides.
///
/// A reference on purpose: the readers of nested objects write to the same log. It never leaves the function that
/// reads one document.
package final class ViolationLog {
    private var found = List()
    private var foundWarnings = List()
    private var foundUnknown = List()
    /// An estimate of the instructions of all regexes that were read so far.
    package private(set) var regexSize = 0
    /// Reads what was stored even if it would be too large to be written today.
    private let isOfStored: Bool

    /// The violations that are listed, and the number of all.
    private struct List {
        var listed: [Violation] = []
        var count = 0

        mutating func append(_ violation: Violation) {
            count += 1
            if Limits.violations.allows(count) { listed.append(violation) }
        }

        static func + (a: List, b: List) -> List { List(listed: a.listed + b.listed, count: a.count + b.count) }

        /// With a word about those that are not listed, if there are any.
        var closed: [Violation] {
            let limit = Limits.violations
            guard !limit.allows(count) else { return listed }
            let rest = Violation(.root, .tooMany, "and \(count - limit.value) more; listed are \(limit.rule)")
            return listed.prefix(limit.value) + [rest]
        }
    }

    package init(ofStored isOfStored: Bool = false) { self.isOfStored = isOfStored }

    package var violations: [Violation] { found.closed }
    /// Things that are accepted but deserve a word, such as an outdated spelling.
    package var warnings: [Violation] { foundWarnings.closed }
    /// Fields nobody asked for: violations under strict field validation, warnings under `fieldValidation=warn`.
    package var unknownFields: [Violation] { foundUnknown.closed }
    /// ``violations``, and after them ``unknownFields``.
    package var violationsAndUnknownFields: [Violation] { (found + foundUnknown).closed }
    /// ``warnings``, and after them ``unknownFields``.
    package var warningsAndUnknownFields: [Violation] { (foundWarnings + foundUnknown).closed }
    /// How many violations there are, also of those that are not listed.
    package var count: Int { found.count }

    /// Reports what is refused today but was accepted once. Documents that are stored with it go on being read, as an object
    /// that nobody wrote must not lose its effect with an update of the server.
    package func reportIfNew(
        _ pointer: JSONPointer, _ code: Violation.Code, _ detail: String, choices: [String] = []
    ) {
        if !isOfStored { report(pointer, code, detail, choices: choices) }
    }

    package func report(_ violation: Violation) { found.append(violation) }

    package func report(
        _ pointer: JSONPointer, _ code: Violation.Code, _ detail: String, choices: [String] = []
    ) {
        found.append(Violation(pointer, code, detail, choices: choices))
    }

    package func warn(_ pointer: JSONPointer, _ code: Violation.Code, _ detail: String, object: JSONValue? = nil) {
        foundWarnings.append(Violation(pointer, code, detail, object: object))
    }

    func reportUnknown(_ violation: Violation) { foundUnknown.append(violation) }
}

extension ViolationLog {
    /// Reports what is wrong with a regex, or with so many.
    ///
    /// - Returns: whether it can be used.
    package func readRegex(_ regex: String, at pointer: JSONPointer) -> Bool {
        let limit = Limits.regexSizePerObject
        // Reported already. To read more of them would take the time that the limit is to save.
        guard isOfStored || limit.allows(regexSize) else { return false }
        do throws(RE2.SyntaxProblem) {
            regexSize += try RE2.size(of: regex)
        } catch {
            report(pointer, .invalidFormat, "is not a valid RE2 regex: \(error.text)")
            return false
        }
        guard isOfStored || limit.allows(regexSize) else {
            report(
                pointer, .tooMany,
                "the regexes up to this one come to \(regexSize) instructions; allowed are \(limit.rule)")
            return false
        }
        return true
    }
}
