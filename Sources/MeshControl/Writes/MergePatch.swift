package import Documents

extension JSONValue {
    /// This document with `patch` applied (RFC 7396): members replace members, `null` removes, anything but an object
    /// replaces as a whole.
    package func merged(with patch: JSONValue) -> JSONValue {
        guard case .object(let changes) = patch else { return patch }
        var members = objectValue ?? [:]
        for (name, change) in changes {
            // Not an assignment of `nil`, which is the literal of JSON's null here.
            if change == .null {
                members.removeValue(forKey: name)
            } else {
                members[name] = (members[name] ?? .null).merged(with: change)
            }
        }
        return .object(members)
    }
}
