/// Checks regexes against the syntax of RE2, the engine of Envoy and gRPC, so that a pattern that a proxy would refuse is
/// refused when it is written.
///
/// Source: https://github.com/google/re2/wiki/Syntax, with the options that Envoy uses (RE2's defaults: Perl syntax, UTF-8).
package enum RE2 {
    /// The longest pattern, in bytes.
    static let maxLength = 4096
    /// What a compiled pattern may have of RE2 instructions, by a rough estimate. Sidecars are given a limit of 32 768
    /// (`re2.max_program_size.error_level`), which leaves room for the estimate to be wrong.
    static let maxProgramSize = 10_000
    /// What a counted repetition, and nested ones multiplied, may come to (`kMaxRepeat` of RE2's parser).
    static let maxRepeat = 1000

    /// What RE2 would say against `regex`.
    ///
    /// - Returns: the rest of a sentence, such as `missing ")"`; `nil` if the pattern is fine.
    package static func problem(in regex: String) -> String? {
        guard regex.utf8.count <= maxLength else { return "longer than \(maxLength) bytes" }
        do throws(SyntaxProblem) {
            var parser = Parser(Array(regex.utf8))
            _ = try parser.parse()
            return nil
        } catch {
            return error.text
        }
    }

    struct SyntaxProblem: Error {
        let text: String

        init(_ text: String) { self.text = text }
    }
}

extension RE2 {
    /// What is wrong with a text that takes the place of what `regex` matches: `\0` … `\9` stand for its groups, `\\` for a
    /// backslash.
    ///
    /// - Parameter regex: a pattern without problems.
    static func problem(inSubstitution text: String, for regex: String) -> String? {
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
