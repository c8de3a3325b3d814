/// Reads the fields of one JSON object and reports everything that is wrong with them.
///
/// Every accessor names a field once; ``finish()`` then reports the fields that nobody named. Accessors return `nil`
/// both for an absent field and for a wrong one (which is reported), so callers go on and find the next mistake.
package struct FieldReader {
    package let pointer: JSONPointer
    package let log: ViolationLog
    private let members: [String: JSONValue]
    /// Named so far; few, so that searching them takes less than hashing them would.
    private var known: [String] = []

    /// - Parameter value: must be an object; anything else is reported and read as an empty one.
    package init(_ value: JSONValue, at pointer: JSONPointer, log: ViolationLog) {
        self.pointer = pointer
        self.log = log
        if case .object(let members) = value {
            self.members = members
        } else {
            self.members = [:]
            log.report(pointer, .wrongType, "must be an object, not \(value.typeName)")
        }
    }

    /// The names of all fields that are present, sorted.
    package var names: [String] { members.keys.sorted() }

    /// Whether the field is present and not `null`.
    package func has(_ name: String) -> Bool {
        switch members[name] {
        case nil, .null: false
        default: true
        }
    }

    /// The field as it stands; `null` counts as absent, as in the Kubernetes API.
    package mutating func value(_ name: String) -> JSONValue? {
        known.append(name)
        guard let value = members[name] else { return nil }
        if case .null = value { return nil }
        return value
    }

    /// Reports the field as missing.
    package func require(_ name: String) {
        log.report(pointer.appending(name), .required, "is required")
    }

    package mutating func string(_ name: String, required: Bool = false, maxLength: Int = 4096) -> String? {
        guard let value = value(name) else {
            if required { require(name) }
            return nil
        }
        guard case .string(let text) = value else { return mismatch(name, "a string", value) }
        // Characters, as JSON Schema's maxLength counts them; most texts have no more bytes than that either.
        guard text.utf8.count <= maxLength || text.unicodeScalars.count <= maxLength else {
            log.report(pointer.appending(name), .tooLong, "must be at most \(maxLength) characters long")
            return nil
        }
        return text
    }

    package mutating func integer(
        _ name: String, in range: ClosedRange<Int64>, required: Bool = false
    ) -> Int64? {
        guard let value = value(name) else {
            if required { require(name) }
            return nil
        }
        guard case .integer(let number) = value else { return mismatch(name, "an integer", value) }
        guard range.contains(number) else {
            log.report(
                pointer.appending(name), .outOfRange, "must be from \(range.lowerBound) to \(range.upperBound)")
            return nil
        }
        return number
    }

    /// A number with or without fraction.
    package mutating func number(_ name: String, in range: ClosedRange<Double>) -> Double? {
        guard let value = value(name) else { return nil }
        let number: Double
        switch value {
        case .integer(let whole): number = Double(whole)
        case .number(let fraction): number = fraction
        default: return mismatch(name, "a number", value)
        }
        guard range.contains(number) else {
            log.report(
                pointer.appending(name), .outOfRange, "must be from \(range.lowerBound) to \(range.upperBound)")
            return nil
        }
        return number
    }

    package mutating func bool(_ name: String) -> Bool? {
        guard let value = value(name) else { return nil }
        guard case .bool(let flag) = value else { return mismatch(name, "a boolean", value) }
        return flag
    }

    /// A duration such as `"10s"`, see ``Duration/init(text:)``.
    package mutating func duration(
        _ name: String, in range: ClosedRange<Duration> = .zero...(.seconds(365 * 86_400))
    ) -> Duration? {
        guard let text = string(name) else { return nil }
        guard let duration = Duration(text: text) else {
            log.report(
                pointer.appending(name), .invalidFormat, "must be a duration such as \"10s\", \"250ms\" or \"1h30m\"")
            return nil
        }
        guard range.contains(duration) else {
            log.report(
                pointer.appending(name), .outOfRange,
                "must be from \(range.lowerBound.text) to \(range.upperBound.text)")
            return nil
        }
        return duration
    }

    /// One of the raw values of `E`.
    package mutating func choice<E>(_ name: String, required: Bool = false) -> E?
    where E: RawRepresentable<String> & CaseIterable {
        guard let text = string(name, required: required) else { return nil }
        guard let choice = E(rawValue: text) else {
            let choices = E.allCases.map(\.rawValue)
            log.report(
                pointer.appending(name), .invalidValue, "must be one of \(choices.joined(separator: ", "))",
                choices: choices)
            return nil
        }
        return choice
    }

    /// A nested object.
    package mutating func object(_ name: String, required: Bool = false) -> FieldReader? {
        guard let value = value(name) else {
            if required { require(name) }
            return nil
        }
        return FieldReader(value, at: pointer.appending(name), log: log)
    }

    /// The elements of an array, each with its pointer; empty if absent.
    package mutating func elements(
        _ name: String, required: Bool = false, atMost limit: Int = 1000
    ) -> [(value: JSONValue, pointer: JSONPointer)] {
        guard let value = value(name) else {
            if required { require(name) }
            return []
        }
        guard case .array(let values) = value else {
            _ = mismatch(name, "an array", value) as Bool?
            return []
        }
        let here = pointer.appending(name)
        guard values.count <= limit else {
            log.report(here, .tooMany, "must have at most \(limit) elements")
            return []
        }
        if required && values.isEmpty { log.report(here, .required, "must not be empty") }
        return values.enumerated().map { ($1, here.appending($0)) }
    }

    /// The elements of an array of objects.
    package mutating func objects(_ name: String, required: Bool = false, atMost limit: Int = 1000) -> [FieldReader] {
        elements(name, required: required, atMost: limit).map { FieldReader($0.value, at: $0.pointer, log: log) }
    }

    /// The elements of an array of strings.
    package mutating func strings(_ name: String, required: Bool = false, atMost limit: Int = 1000) -> [String] {
        elements(name, required: required, atMost: limit).compactMap { element in
            guard case .string(let text) = element.value else {
                log.report(element.pointer, .wrongType, "must be a string, not \(element.value.typeName)")
                return nil
            }
            return text
        }
    }

    /// An object whose values are all strings; empty if absent.
    package mutating func stringMap(_ name: String) -> [String: String] {
        guard let value = value(name) else { return [:] }
        guard case .object(let members) = value else {
            _ = mismatch(name, "an object", value) as Bool?
            return [:]
        }
        var map: [String: String] = [:]
        for (key, member) in members.sorted(by: { $0.key < $1.key }) {
            if case .string(let text) = member {
                map[key] = text
            } else {
                log.report(
                    pointer.appending(name).appending(key), .wrongType, "must be a string, not \(member.typeName)")
            }
        }
        return map
    }

    /// The members of an object, each with its pointer, sorted by name; empty if absent.
    package mutating func entries(_ name: String) -> [(name: String, value: JSONValue, pointer: JSONPointer)] {
        guard let value = value(name) else { return [] }
        guard case .object(let members) = value else {
            _ = mismatch(name, "an object", value) as Bool?
            return []
        }
        let here = pointer.appending(name)
        return members.sorted(by: { $0.key < $1.key }).map { ($0.key, $0.value, here.appending($0.key)) }
    }

    /// Reports every field that no accessor named.
    package func finish() {
        let unknown = members.keys.filter { !known.contains($0) }
        guard !unknown.isEmpty else { return }
        let choices = Set(known).sorted()
        for name in unknown.sorted() {
            log.reportUnknown(
                Violation(pointer.appending(name), .unknownField, "is not a known field", choices: choices))
        }
    }

    private func mismatch<T>(_ name: String, _ expected: String, _ value: JSONValue) -> T? {
        log.report(pointer.appending(name), .wrongType, "must be \(expected), not \(value.typeName)")
        return nil
    }
}
