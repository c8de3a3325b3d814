/// Checks regexes against the syntax of RE2, the engine of Envoy and gRPC, so that a pattern that a proxy would refuse is
/// refused when it is written.
///
/// Source: https://github.com/google/re2/wiki/Syntax, with the options that Envoy uses (RE2's defaults: Perl syntax, UTF-8).
package enum RE2 {
    /// The longest pattern, in bytes.
    package static let maxLength = 4_096
    /// The most RE2 instructions that a compiled pattern may have, by a rough estimate.
    package static let maxProgramSize = 10_000
    /// How many instructions may be copied while a pattern is read: a pattern without nesting copies each once or twice.
    static let maxCopied = 10 * maxProgramSize
    /// The most that a counted repetition, and nested ones multiplied, may come to (`kMaxRepeat` of RE2's parser).
    static let maxRepeat = 1000

    /// The objection that RE2 would have to `regex`.
    ///
    /// - Returns: the rest of a sentence, such as `missing ")"`; `nil` if the pattern is fine.
    package static func problem(in regex: String) -> String? {
        do throws(SyntaxProblem) {
            _ = try size(of: regex)
            return nil
        } catch {
            return error.text
        }
    }

    /// An estimate of the instructions that RE2 compiles `regex` to.
    package static func size(of regex: String) throws(SyntaxProblem) -> Int {
        guard regex.utf8.count <= maxLength else { throw SyntaxProblem("longer than \(maxLength) bytes") }
        var parser = Parser(Array(regex.utf8))
        _ = try parser.parse()
        return parser.total
    }

    /// An objection that RE2 would have to a pattern: the rest of a sentence.
    package struct SyntaxProblem: Error {
        package let text: String

        init(_ text: String) { self.text = text }
    }
}

extension RE2 {
    /// The fault of a text that takes the place of what `regex` matches: `\0` … `\9` stand for its groups, `\\` for a
    /// backslash.
    ///
    /// - Parameter regex: a pattern without problems.
    package static func problem(inSubstitution text: String, for regex: String) -> String? {
        var bytes = text.utf8.makeIterator()
        var parser = Parser(Array(regex.utf8))
        _ = try? parser.parse()
        while let byte = bytes.next() {
            guard byte == UInt8(ascii: "\\") else { continue }
            switch bytes.next() {
            case UInt8(ascii: "\\"): continue
            case let digit? where isDigit(digit):
                let group = Int(digit - UInt8(ascii: "0"))
                guard group <= parser.captures else {
                    return "refers to group \(group), of which there are \(parser.captures)"
                }
            default: return "a backslash must be followed by a digit or a backslash"
            }
        }
        return nil
    }
}

extension RE2 {
    /// A pattern that matches `text` and nothing else.
    package static func quoted(_ text: String) -> String {
        var pattern = ""
        for scalar in text.unicodeScalars {
            if "\\.+*?()|[]{}^$-".unicodeScalars.contains(scalar) { pattern += "\\" }
            pattern.unicodeScalars.append(scalar)
        }
        return pattern
    }
}
