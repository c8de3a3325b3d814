extension Shape where Value == Bool {
    package static var bool: Shape {
        Shape(
            schema: .value(["type": "boolean"]),
            read: { json, place, log in
                guard case .bool(let flag) = json else { return log.mismatch(place, "a boolean", json) }
                return flag
            }, write: JSONValue.bool)
    }
}

extension Shape where Value == Int {
    /// A number without fraction.
    package static func integer(_ range: ClosedRange<Int>) -> Shape {
        Shape(
            schema: .value([
                "type": "integer", "minimum": .integer(Int64(range.lowerBound)),
                "maximum": .integer(Int64(range.upperBound)),
            ]),
            read: { json, place, log in
                guard case .integer(let number) = json else { return log.mismatch(place, "an integer", json) }
                guard let number = Int(exactly: number), range.contains(number) else {
                    log.report(
                        place.pointer, .outOfRange, "must be from \(range.lowerBound) to \(range.upperBound)")
                    return nil
                }
                return number
            }, write: { .integer(Int64($0)) })
    }
}

extension Shape where Value == Double {
    /// A number with or without fraction.
    package static func number(_ range: ClosedRange<Double>) -> Shape {
        let (lower, upper) = (JSONValue.number(whole: range.lowerBound), JSONValue.number(whole: range.upperBound))
        return Shape(
            schema: .value(["type": "number", "minimum": lower, "maximum": upper]),
            read: { json, place, log in
                let number: Double
                switch json {
                case .integer(let whole): number = Double(whole)
                case .number(let fraction): number = fraction
                default: return log.mismatch(place, "a number", json)
                }
                guard range.contains(number) else {
                    log.report(
                        place.pointer, .outOfRange, "must be from \(range.lowerBound) to \(range.upperBound)")
                    return nil
                }
                return number
            }, write: JSONValue.number(whole:))
    }
}

extension JSONValue {
    /// The number as JSON writes it: without a fraction where there is none, so that the document reads back equal.
    package static func number(whole number: Double) -> JSONValue {
        Int64(exactly: number).map(JSONValue.integer) ?? .number(number)
    }
}

extension Shape where Value == String {
    /// Any string. What bounds it is the size of the whole document.
    package static var text: Shape {
        Shape(
            schema: .value(["type": "string"]),
            read: { json, place, log in
                guard case .string(let text) = json else { return log.mismatch(place, "a string", json) }
                return text
            }, write: JSONValue.string)
    }

    /// - Parameter length: in characters, as JSON Schema counts them.
    package static func string(atMost length: Int = 4096) -> Shape {
        let text = text
        return Shape(
            schema: .value(["type": "string", "maxLength": .integer(Int64(length))]),
            read: { json, place, log in
                guard let text = text.read(json, place, log) else { return nil }
                // Most texts have no more bytes than that either, which takes less to count.
                guard text.utf8.count <= length || text.unicodeScalars.count <= length else {
                    log.report(place.pointer, .tooLong, "must be at most \(length) characters long")
                    return nil
                }
                return text
            }, write: JSONValue.string)
    }

    /// A regex of RE2's syntax, which counts for what the regexes of a document may come to.
    package static var regex: Shape {
        let text = string()
        return Shape(
            schema: .value(["type": "string", "maxLength": 4096, "examples": ["v[12].*"]], note: "RE2's syntax."),
            read: { json, place, log in
                guard let regex = text.read(json, place, log), log.readRegex(regex, at: place.pointer) else {
                    return nil
                }
                return regex
            }, write: JSONValue.string)
    }
}

extension Shape where Value == Duration {
    /// A duration such as `"10s"`, see ``Duration/init(text:)``.
    package static func duration(_ range: ClosedRange<Duration> = .zero...(.seconds(365 * 86_400))) -> Shape {
        let text = Shape<String>.string()
        return Shape(
            schema: .named("Duration", note: "\(range.lowerBound.text) to \(range.upperBound.text)."),
            read: { json, place, log in
                guard let text = text.read(json, place, log) else { return nil }
                guard let duration = Duration(text: text) else {
                    log.report(
                        place.pointer, .invalidFormat, "must be a duration such as \"10s\", \"250ms\" or \"1h30m\"")
                    return nil
                }
                guard range.contains(duration) else {
                    log.report(
                        place.pointer, .outOfRange, "must be from \(range.lowerBound.text) to \(range.upperBound.text)")
                    return nil
                }
                return duration
            }, write: { .string($0.text) })
    }
}

extension Shape where Value: RawRepresentable<String> & CaseIterable {
    /// One of the type's raw values.
    package static var choice: Shape { choice() }

    /// One of the type's raw values, or another name for one.
    ///
    /// - Parameter refused: what means something to those who write documents and is not carried out, with a clause about why.
    package static func choice(early: [String: Value] = [:], refused: [String: String] = [:]) -> Shape {
        let choices = Value.allCases.map(\.rawValue)
        let names = choices + early.keys.sorted()
        let text = Shape<String>.string()
        return Shape(
            schema: .value(["type": "string", "enum": .array(names.map(JSONValue.string))]),
            read: { json, place, log in
                guard let text = text.read(json, place, log) else { return nil }
                if let why = refused[text] {
                    log.report(place.pointer, .unsupported, "\(text) is not supported: \(why)", choices: choices)
                    return nil
                }
                guard let choice = Value(rawValue: text) ?? early[text] else {
                    log.report(
                        place.pointer, .invalidValue, "must be one of \(choices.joined(separator: ", "))",
                        choices: choices)
                    return nil
                }
                return choice
            }, write: { .string($0.rawValue) })
    }
}
