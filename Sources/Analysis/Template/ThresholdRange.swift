package import Documents

/// The values that are good: from one number to another, both included.
package struct ThresholdRange: Document {
    /// A number, or a text with arguments that becomes one.
    package enum Bound: Hashable, Sendable {
        case number(Double)
        case text(String)

        /// `nil` as long as arguments stand in it.
        package var number: Double? {
            guard case .number(let number) = self else { return nil }
            return number
        }
    }

    package var min: Bound?
    package var max: Bound?

    package init() {}

    package init(min: Double? = nil, max: Double? = nil) {
        self.min = min.map(Bound.number)
        self.max = max.map(Bound.number)
    }

    package static let fields: [Field<Self>] = [
        .optional("min", \.min, bound, "The least; left out: no bound."),
        .optional("max", \.max, bound, "The most; left out: no bound."),
    ]
    package static let schemaName: String? = nil
    package static let summary: String? = "At least one of min and max."

    package func finish(_ reading: Members) {
        if !reading.has("min") && !reading.has("max") {
            reading.log.report(reading.pointer, .required, "must have min, max or both", choices: ["min", "max"])
        }
        if let problem = orderProblem { reading.report("min", .conflict, problem) }
    }

    /// The reason why no value is in the range; `nil` if there can be some.
    var orderProblem: String? {
        guard let least = min?.number, let most = max?.number, least > most else { return nil }
        return "must not be greater than max"
    }

    private static let bound = Shape<Bound>(
        schema: .value(["type": ["number", "string"]], note: "A number, or `{{args.name}}`."),
        read: { json, place, log in
            switch json {
            case .integer(let number): return .number(Double(number))
            case .number(let number) where number.isFinite: return .number(number)
            case .string(let text):
                guard text.utf8.count <= 256 else {
                    log.report(place.pointer, .tooLong, "must be at most 256 bytes long")
                    return nil
                }
                if let number = Self.number(text) { return .number(number) }
                if (try? TextTemplate(text))?.arguments.isEmpty == false { return .text(text) }
                log.report(place.pointer, .invalidFormat, "must be a number, or a text with {{args.name}}")
                return nil
            default:
                log.report(place.pointer, .wrongType, "must be a number or a string, not \(json.typeName)")
                return nil
            }
        },
        write: { bound in
            switch bound {
            case .number(let number): .number(whole: number)
            case .text(let text): .string(text)
            }
        })

    /// A finite number of decimal digits; `nil` for anything else.
    static func number(_ text: String) -> Double? {
        guard !text.isEmpty, text.utf8.count <= 64,
            text.utf8.allSatisfy({ (48...57).contains($0) || "+-.eE".utf8.contains($0) }),
            let number = Double(text), number.isFinite
        else { return nil }
        return number
    }
}

extension ThresholdRange {
    /// The comparison that a value fails, in the form of a decision: `0.71 < 0.9`; `nil` if it is within.
    func violation(of value: Double) -> String? {
        if let least = min?.number, value < least { return DecimalText.comparison(value, "<", least) }
        if let most = max?.number, value > most { return DecimalText.comparison(value, ">", most) }
        return nil
    }
}
