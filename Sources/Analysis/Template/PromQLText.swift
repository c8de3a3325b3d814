/// Arguments in PromQL, where nobody who gives an argument can say more than the query leaves open.
enum PromQLText {
    /// The query with arguments in their places: between double quotes any text, escaped; elsewhere a number, a duration or a name, which
    /// cannot end what it stands in.
    ///
    /// - Parameter values: arguments without one keep their placeholder.
    static func insert(
        _ values: [String: String], into template: TextTemplate
    ) throws(TextTemplate.Problem) -> String {
        var context = Context()
        var text = ""
        for piece in template.pieces {
            switch piece {
            case .text(let part):
                for byte in part.utf8 { context.read(byte) }
                text += part
            case .time(let time): text += "{{\(time.rawValue)}}"
            case .argument(let name):
                guard let value = values[name] else {
                    text += "{{args.\(name)}}"
                    continue
                }
                if context.takesAnyText {
                    text += escaped(value)
                } else if isPlain(value) {
                    text += value
                } else {
                    throw TextTemplate.Problem(
                        text: "outside of \"…\" {{args.\(name)}} must be a number, a duration or a name")
                }
            }
        }
        return text
    }

    /// A text inside of double quotes (Prometheus, "String literals", by Go's rules).
    private static func escaped(_ value: String) -> String {
        value.unicodeScalars.map { scalar in
            switch scalar {
            case "\\": "\\\\"
            case "\"": "\\\""
            case "\n": "\\n"
            default: String(scalar)
            }
        }.joined()
    }

    private static func isPlain(_ value: String) -> Bool {
        if ThresholdRange.number(value) != nil { return true }
        return !value.isEmpty
            && value.utf8.allSatisfy { byte in
                switch byte {
                case 48...57, 65...90, 97...122: true
                default: "_.:".utf8.contains(byte)
                }
            }
    }

    /// The string or comment that the next character of a query stands in.
    private struct Context {
        /// The quote that is open, or `#` in a comment.
        private var open: UInt8?
        private var isEscaped = false

        /// Whether it is a string in double quotes, and no escape is left open.
        var takesAnyText: Bool { open == UInt8(ascii: "\"") && !isEscaped }

        mutating func read(_ byte: UInt8) {
            if isEscaped {
                isEscaped = false
                return
            }
            switch open {
            case nil:
                if "\"'`#".utf8.contains(byte) { open = byte }
            case UInt8(ascii: "#"):
                if byte == UInt8(ascii: "\n") { open = nil }
            case let quote?:
                if byte == quote {
                    open = nil
                } else if byte == UInt8(ascii: "\\"), quote != UInt8(ascii: "`") {
                    isEscaped = true
                }
            }
        }
    }
}
