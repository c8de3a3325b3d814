package import MeshModel

extension JSONValue {
    /// This document with `patch` applied (RFC 7396): members replace members, `null` removes, anything but an object
    /// replaces as a whole.
    package func merged(with patch: JSONValue) -> JSONValue {
        guard case .object(let changes) = patch else { return patch }
        var members = objectValue ?? [:]
        for (name, change) in changes {
            members[name] = change == .null ? nil : (members[name] ?? .null).merged(with: change)
        }
        return .object(members)
    }
}
