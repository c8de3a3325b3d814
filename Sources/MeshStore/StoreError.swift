package import MeshModel
internal import Postgres

/// Why the store did not do something.
package enum StoreError: Error, Sendable, Equatable {
    case notFound
    case alreadyExists
    /// Another release of the same service is active.
    case activeRelease(Name)
    /// The same idempotency key was used for another call.
    case idempotencyMismatch
    /// A call with the same idempotency key is being worked on.
    case idempotencyInFlight
    /// The feed does not reach back to the revision that was asked for, or not as far as it.
    case outOfFeed
    /// The database cannot be reached or is overloaded; worth another try after so long.
    case unavailable(retryAfter: Duration)
    /// A mistake of ours, or a database that is not as we left it. For logs, not for clients.
    case `internal`(String)

    init(_ error: PostgresError) {
        if error.isUnavailable || error.isRetriable || error.kind == .timedOut || error.kind == .cancelled {
            self = .unavailable(retryAfter: .seconds(1))
        } else {
            self = .internal("\(error)")
        }
    }
}
