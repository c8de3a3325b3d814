internal import MeshModel
internal import MeshStore

extension ControlError {
    /// What an error of the store means to a caller.
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
        case .unavailable(let retryAfter): self = .unavailable(retryAfter: retryAfter)
        case .internal(let text): self = .fault(text)
        }
    }
}
