/// Reads the members of one JSON object that is no ``Document``, such as the envelope of an object or the body of a method, and
/// reports everything that is wrong with them.
///
/// Every accessor names a member once; ``finish()`` then reports the members that nobody named. Accessors return `nil` both for an
/// absent member and for a wrong one (which is reported), so callers go on and find the next mistake.
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

    /// Whether the member is present and not `null`, which counts as absent, as in the Kubernetes API.
    package func has(_ name: String) -> Bool {
        switch members[name] {
        case nil, .null: false
        default: true
        }
    }

    /// The member as it stands.
    package mutating func value(_ name: String) -> JSONValue? {
        known.append(name)
        return has(name) ? members[name] : nil
    }

    /// The member as a value.
    package mutating func read<Value: Sendable>(
        _ name: String, _ shape: Shape<Value>, required: Bool = false
    ) -> Value? {
        guard let json = value(name) else {
            if required { report(name, .required, "is required") }
            return nil
        }
        return shape.read(json, Place(name, in: pointer), log)
    }

    /// A nested object.
    package mutating func object(_ name: String, required: Bool = false) -> FieldReader? {
        guard let json = value(name) else {
            if required { report(name, .required, "is required") }
            return nil
        }
        return FieldReader(json, at: pointer.appending(name), log: log)
    }

    package func report(_ name: String, _ code: Violation.Code, _ detail: String, choices: [String] = []) {
        log.report(pointer.appending(name), code, detail, choices: choices)
    }

    /// Reports every member that no accessor named.
    package func finish() {
        let unknown = members.keys.filter { !known.contains($0) }
        guard !unknown.isEmpty else { return }
        let choices = Set(known).sorted()
        for name in unknown.sorted() {
            log.reportUnknown(
                Violation(pointer.appending(name), .unknownField, "is not a known field", choices: choices))
        }
    }
}
