internal import Documents
internal import MeshCore

/// The parameters behind the `?` of a request's URL.
///
/// Accessors report what is wrong to ``log``, with pointers of the form `/query/pageSize`.
struct QueryParameters {
    let log: ViolationLog
    private var values: [String: String] = [:]

    /// - Parameters:
    ///   - query: the raw query, without the `?`.
    ///   - known: the names that the route accepts; any other one is reported, because a mistyped `validateOnly` must
    ///     not become a write.
    init(_ query: Substring, known: [String]) {
        log = ViolationLog()
        for pair in query.split(separator: "&") {
            let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard let name = PercentEncoding.decode(parts[0], plusIsSpace: true),
                let value = PercentEncoding.decode(parts.count > 1 ? parts[1] : "", plusIsSpace: true)
            else {
                log.report(Self.pointer(String(parts[0])), .invalidFormat, "is not valid percent-encoded UTF-8")
                continue
            }
            guard known.contains(name) else {
                log.report(Self.pointer(name), .unknownField, "is not a known query parameter", choices: known.sorted())
                continue
            }
            if values.updateValue(value, forKey: name) != nil {
                log.report(Self.pointer(name), .duplicate, "must be given only once")
            }
        }
    }

    static func pointer(_ name: String) -> JSONPointer { JSONPointer(["query", name]) }

    func has(_ name: String) -> Bool { values[name] != nil }

    func text(_ name: String, required: Bool = false) -> String? {
        guard let value = values[name], !value.isEmpty else {
            if required { log.report(Self.pointer(name), .required, "is required") }
            return nil
        }
        return value
    }

    func name(_ parameter: String, required: Bool = false) -> Name? {
        guard let value = text(parameter, required: required) else { return nil }
        guard let name = Name(value) else {
            log.report(Self.pointer(parameter), .invalidFormat, Name.rule)
            return nil
        }
        return name
    }

    func integer(_ name: String, in range: ClosedRange<Int>, required: Bool = false) -> Int? {
        guard let value = text(name, required: required) else { return nil }
        guard let number = Int(value), range.contains(number) else {
            log.report(
                Self.pointer(name), .outOfRange, "must be an integer from \(range.lowerBound) to \(range.upperBound)")
            return nil
        }
        return number
    }

    /// `true` or `false`; a parameter without value (`?validateOnly`) counts as `true`.
    func flag(_ name: String) -> Bool {
        switch values[name] {
        case nil, "false": return false
        case "true", "": return true
        default:
            log.report(Self.pointer(name), .invalidValue, "must be true or false", choices: ["true", "false"])
            return false
        }
    }

    func time(_ name: String) -> Timestamp? {
        guard let value = text(name) else { return nil }
        guard let time = Timestamp(text: value) else {
            log.report(
                Self.pointer(name), .invalidFormat, "must be a time such as 2026-11-24T02:00:00Z (RFC 3339)")
            return nil
        }
        return time
    }

    func duration(_ name: String, atLeast minimum: Duration) -> Duration? {
        guard let value = text(name) else { return nil }
        guard let duration = Duration(text: value), duration >= minimum else {
            log.report(
                Self.pointer(name), .invalidFormat,
                "must be a duration such as 10s, of at least \(minimum.components.seconds)s")
            return nil
        }
        return duration
    }

    /// Some of several words, separated by commas.
    func choices(_ name: String, _ choices: [String]) -> [String] {
        let words = (text(name) ?? "").split(separator: ",").map(String.init)
        for word in words where !choices.contains(word) {
            log.report(
                Self.pointer(name), .invalidValue, "must be some of \(choices.joined(separator: ","))", choices: choices
            )
        }
        return words
    }

    func choice(_ name: String, _ choices: [String], required: Bool = false) -> String? {
        guard let value = text(name, required: required) else { return nil }
        guard choices.contains(value) else {
            log.report(
                Self.pointer(name), .invalidValue, "must be one of \(choices.joined(separator: ", "))", choices: choices
            )
            return nil
        }
        return value
    }

    /// - Throws: ``Problem`` with everything that was reported, if anything was.
    func check() throws {
        guard log.violations.isEmpty else { throw Problem.invalid(log.violations) }
    }
}
