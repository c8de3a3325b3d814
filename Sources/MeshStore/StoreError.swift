package import MeshCore
internal import Postgres

/// Why the store did not do something.
package enum StoreError: Error, Sendable, Equatable {
    case notFound
    case alreadyExists
    /// Another release of the same service is active.
    case activeRelease(Name)
    /// The idempotency key was used for another call.
    case idempotencyMismatch
    /// A call with the same idempotency key is being worked on.
    case idempotencyInFlight
    /// The feed does not reach back to the revision that was asked for, or not as far as it.
    case outOfFeed
    /// The database cannot do it at the moment; worth another try after so long.
    case unavailable(retryAfter: Duration, because: Hindrance = .unreachable)
    /// A mistake of ours, or a database that is not as we left it. For logs, not for clients.
    case `internal`(String)

    /// The reason for which the database does not do it.
    package enum Hindrance: Sendable, Equatable {
        case unreachable
        /// No space is left where it stores things.
        case diskFull
        /// The database has run out of something else, such as connections.
        case exhausted
        /// So many wait for a connection to it that no more may.
        case crowded
        /// Another transaction holds a row of this table.
        case locked(table: String)
        /// The database did not answer in time.
        case slow
        /// Very many objects were written by a version that does not say what they name; it is being found out.
        case unprepared
        /// Something was written into what was about to be deleted.
        case filled
        /// The database is a standby, or read-only.
        case readOnly
    }

    init(_ error: PostgresError) {
        if error.isUnavailable || error.isRetriable || error.kind == .timedOut || error.kind == .cancelled {
            let hindrance = Hindrance(error)
            // A disk does not get empty by itself.
            self = .unavailable(retryAfter: hindrance == .diskFull ? .seconds(10) : .seconds(1), because: hindrance)
        } else {
            self = .internal("\(error)")
        }
    }
}

extension StoreError.Hindrance {
    init(_ error: PostgresError) {
        if let table = error.lockedTable {
            self = .locked(table: table)
            return
        }
        self =
            switch (error.kind, error.shortage) {
            case (_, .disk?): .diskFull
            case (_, .some): .exhausted
            case (.poolExhausted, _): .crowded
            case (.timedOut, _): .slow
            case (.server, _) where error.sqlState == .readOnlyTransaction: .readOnly
            case (.server, _) where error.sqlState == .lockNotAvailable: .locked(table: "")
            default: .unreachable
            }
    }
}
