package import Documents
package import MeshCore

/// Something that was found out about an object after it was written, such as that another one has its host. It is no part of
/// the object's versions.
package struct ObjectCondition: Hashable, Sendable {
    /// The condition that every object has: whether all of it is in force.
    package static let accepted = "Accepted"

    /// ``accepted``, which it makes false, or what the object has to be told, for example `Redirected`.
    package var type: String
    package var isTrue: Bool
    /// One word, for scripts.
    package var reason: String
    /// The part of the object's surroundings that it is about, such as a listener; empty: none.
    package var subject: String
    /// The place in the object that the condition comes from, as a JSON Pointer.
    package var pointer: String
    /// A sentence for people.
    package var message: String
    /// The other object that it comes from; see ``ObjectKey/reference``.
    package var other: JSONValue?
    /// Since when; `nil` until it has been stored.
    package var since: Timestamp?

    package init(
        type: String, isTrue: Bool, reason: String, subject: String = "", pointer: String = "", message: String,
        other: JSONValue? = nil, since: Timestamp? = nil
    ) {
        self.type = type
        self.isTrue = isTrue
        self.reason = reason
        self.subject = subject
        self.pointer = pointer
        self.message = message
        self.other = other
        self.since = since
    }

    /// Whether both say the same, whenever they began to.
    package func says(_ other: ObjectCondition) -> Bool {
        var other = other
        other.since = since
        return self == other
    }
}
