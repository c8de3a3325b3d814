/// Reads the members of one JSON object that is no ``Document``, such as the envelope of an object or the body of a method, and
/// reports everything that is wrong with them.
///
/// Every accessor names a member once; ``finish()`` then reports the members that nobody named. Accessors return `nil` both for an
/// absent member and for a wrong one (which is reported), so callers go on and find the next mistake.
package struct FieldReader {
    private var members: Members
    private var known: [String] = []

    /// - Parameter value: must be an object; anything else is reported and read as an empty one.
    package init(_ value: JSONValue, at pointer: JSONPointer, log: ViolationLog) {
        let place = Place(pointer)
        members = Members(value, at: place, log: log) ?? Members(at: place, log: log)
    }

    package var pointer: JSONPointer { members.pointer }
    package var log: ViolationLog { members.log }

    package func has(_ name: String) -> Bool { members.has(name) }

    /// The member as it stands.
    package mutating func value(_ name: String) -> JSONValue? {
        known.append(name)
        return members.take(name)
    }

    /// The member as a value.
    package mutating func read<Value: Sendable>(
        _ name: String, _ shape: Shape<Value>, required: Bool = false
    ) -> Value? {
        known.append(name)
        if required && !members.has(name) { report(name, .required, "is required") }
        return members.read(name, shape)
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
        members.report(name, code, detail, choices: choices)
    }

    /// Reports every member that no accessor named.
    package func finish() { members.finish { known } }
}
