package import Documents
package import MeshCore

/// Why a use case was refused. MeshAPI maps every case to a status, in one file.
package enum ControlError: Error, Sendable {
    /// The request says something wrong; all of it at once.
    case invalid([Violation])
    /// Nothing has this name, or the caller may not know whether anything has. The text says what is missing.
    case notFound(String)
    /// The caller may know that it exists, and may not do this.
    case forbidden(Permission)
    /// The caller may not do this in another namespace than that of the call, which the request's body names at a
    /// place.
    case forbiddenThere(Permission, namespace: Name, JSONPointer)
    /// The request does not fit the present state, for example a name that is taken.
    case conflict(Conflict)
    /// A host that the document names belongs to another object; writing the document again changes nothing about that.
    case owned(Conflict)
    /// A precondition does not hold. With the version that is there now, if anything is.
    case stale(ObjectVersion?)
    /// The object exists, and the write does not say which version it is meant for.
    case preconditionRequired(ObjectVersion)
    /// An idempotency key was used before for something else.
    case idempotencyMismatch
    /// The feed has no changes (any more) from the revision on that the caller has.
    case gone
    /// The database cannot do it at the moment; worth another try after the given time. The text says what is waited for.
    case unavailable(retryAfter: Duration, String = "the database cannot be reached at the moment")
    /// A secret would have to be sealed or opened, and the server lacks the key for it; the text says which.
    case noKeyEncryptionKey(String)
    /// The tenant, or all callers together, do as much at a time as is allowed; worth another try in a second.
    case busy(Limit, isOfTenant: Bool)
    /// A mistake of ours. The text is for the log only.
    case fault(String)

    /// A conflict between a request and the present state.
    package struct Conflict: Hashable, Sendable {
        /// The code that scripts test for, for example `alreadyExists`, `activeRelease`, `inUse`, `actionNotAllowed`.
        package var code: String
        /// A sentence for people.
        package var detail: String
        /// The parts of the request's body that are in conflict; may be empty.
        package var errors: [Violation]
        /// More members of the answer, for example `allowedActions`.
        package var members: [String: JSONValue]

        package init(
            _ code: String, _ detail: String, errors: [Violation] = [], members: [String: JSONValue] = [:]
        ) {
            self.code = code
            self.detail = detail
            self.errors = errors
            self.members = members
        }
    }
}
