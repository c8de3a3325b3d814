internal import Documents
internal import MeshCore
internal import MeshStore

extension ControlError {
    /// Translates an error of the store for the caller.
    init(_ error: StoreError) {
        switch error {
        case .notFound: self = .notFound("such object, or no such mesh")
        case .alreadyExists: self = .conflict(Conflict("alreadyExists", "something of this name exists already"))
        case .activeRelease(let name):
            self = .conflict(
                Conflict(
                    "activeRelease",
                    "the release \(name) of the same service is active; end that first",
                    members: ["activeRelease": .string(name.text)]))
        case .idempotencyMismatch: self = .idempotencyMismatch
        case .idempotencyInFlight:
            self = .conflict(Conflict("idempotencyInFlight", "a call with this Idempotency-Key is being worked on"))
        case .outOfFeed: self = .gone
        case .unavailable(let retryAfter, let hindrance):
            self = .unavailable(retryAfter: retryAfter, hindrance.described)
        case .internal(let text): self = .fault(text)
        }
    }
}

extension StoreError.Hindrance {
    /// The reason for which a caller has to wait, as a sentence.
    package var described: String {
        switch self {
        case .unreachable: "the database cannot be reached at the moment"
        case .diskFull: "the database has no space left on its disk; nothing was written"
        case .exhausted: "the database has run out of connections or memory"
        case .crowded: "too many requests wait for a connection to the database"
        case .locked("mesh"):
            "another write to the same mesh has not ended; if its replica hangs, the database ends it within seconds"
        case .locked("object"), .locked("release"):
            "another write of the same object has not ended; if its replica hangs, the database ends it within seconds"
        case .locked: "something else that writes has not ended"
        case .slow: "the database did not answer in time"
        case .filled: "something was written into it at the same moment"
        case .unprepared: "what the objects of the tenant name is still being found out, after an upgrade"
        case .readOnly: "the database takes no writes at the moment"
        }
    }
}
