package import MeshCore
package import MeshModel

/// Which writing of an object a client has seen: what its entity tag stands for.
package struct ObjectVersion: Hashable, Sendable {
    package var revision: Revision
    /// The first part of the object's `uid`: a re-created object is another one.
    package var uidPrefix: String

    package init(_ object: StoredObject) {
        revision = object.revision
        uidPrefix = String(object.uid.prefix(8))
    }

    /// Reads ``text``.
    ///
    /// - Returns: `nil` for anything else.
    package init?(text: String) {
        let parts = text.split(separator: "-", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2, let revision = Revision(parts[0]), !parts[1].isEmpty else { return nil }
        self.revision = revision
        uidPrefix = String(parts[1])
    }

    /// For example `918-1a2b3c4d`.
    package var text: String { "\(revision)-\(uidPrefix)" }
}

/// A condition on the stored object without which a write does not happen.
package enum Precondition: Hashable, Sendable {
    /// Nothing was said: only an absent object may be written.
    case none
    /// `If-None-Match: *`: create only.
    case absent
    /// `If-Match: *`: replace whatever is there.
    case present
    /// `If-Match`: one of these versions.
    case oneOf([ObjectVersion])

    /// - Parameter object: what is there now.
    /// - Throws: ``ControlError/stale(_:)`` or ``ControlError/preconditionRequired(_:)``.
    func check(_ object: StoredObject?) throws {
        let current = object.map(ObjectVersion.init)
        switch (self, current) {
        case (.none, nil), (.absent, nil), (.present, .some): return
        case (.none, .some(let current)): throw ControlError.preconditionRequired(current)
        case (.oneOf(let versions), .some(let current)) where versions.contains(current): return
        default: throw ControlError.stale(current)
        }
    }

    /// Checks the precondition, if one was given, of a call that needs none: a custom method.
    func checkIfGiven(_ object: StoredObject) throws {
        if self != .none { try check(object) }
    }
}
