/// Why a call to PostgreSQL failed.
///
/// Field meanings: PostgreSQL 55.8, "Error and Notice Message Fields". `detail` may quote values of the row at fault,
/// so it belongs into logs, not into answers to strangers.
package struct PostgresError: Error, Sendable {
    /// Who noticed the failure, and what it means for the caller.
    package enum Kind: Sendable, Hashable {
        /// The server refused or failed the statement; ``PostgresError/sqlState`` says why. The session lives on.
        case server
        /// No connection could be made.
        case connectionFailed
        /// The connection broke while the statement ran. Nothing is known about a statement outside a transaction.
        case connectionLost
        /// The connection broke during COMMIT: the transaction may or may not have happened.
        case outcomeUnknown
        /// No connection became free in time, or too many callers were waiting.
        case poolExhausted
        /// The pool was closed.
        case poolClosed
        /// The statement ran longer than allowed and was cancelled on the server.
        case timedOut
        /// The task was cancelled, and so was the statement on the server.
        case cancelled
        /// A value did not have the type that was asked for, or a column does not exist.
        case decoding
        /// Our own mistake: a statement that libpq cannot send, or a connection used by two tasks at once.
        case misuse
    }

    package var kind: Kind
    /// For people, one line; no parameter values.
    package var message: String
    /// The server's five-character code; only for errors that the server reported.
    package var sqlState: SQLState?
    /// `ERROR`, `FATAL` or `PANIC`, never translated.
    package var severity: String?
    package var detail: String?
    package var hint: String?
    package var schema: String?
    package var table: String?
    package var column: String?
    package var constraint: String?
    /// The text of the statement at fault, with `$n` in place of values.
    package var statement: String?

    package init(_ kind: Kind, _ message: String) {
        self.kind = kind
        self.message = message
    }

    init(_ result: borrowing ResultHandle) {
        self.init(.server, result.errorField("M") ?? result.errorMessage)
        sqlState = result.errorField("C").map(SQLState.init(rawValue:))
        severity = result.errorField("V")
        detail = result.errorField("D")
        hint = result.errorField("H")
        schema = result.errorField("s")
        table = result.errorField("t")
        column = result.errorField("c")
        constraint = result.errorField("n")
        // FATAL ends the session (57P01 and friends); an error without SQLSTATE is libpq's own about a broken
        // connection.
        if severity == "FATAL" || severity == "PANIC" || sqlState == nil { kind = .connectionLost }
    }

    /// Whether the same transaction may succeed if it is run again from its start.
    package var isRetriable: Bool { sqlState == .serializationFailure || sqlState == .deadlockDetected }

    /// Whether the database, not the request, is at fault, so that the caller may come back later.
    package var isUnavailable: Bool {
        switch kind {
        case .connectionFailed, .connectionLost, .outcomeUnknown, .poolExhausted, .poolClosed: return true
        case .timedOut, .cancelled, .decoding, .misuse: return false
        case .server:
            guard let code = sqlState?.rawValue else { return false }
            return code.hasPrefix("08") || code.hasPrefix("57P0") || code == "53300" || code == "25006"
        }
    }
}

extension PostgresError: CustomStringConvertible {
    package var description: String {
        var text = sqlState.map { "\(kind) \($0.rawValue): \(message)" } ?? "\(kind): \(message)"
        if let detail { text += " (\(detail))" }
        if let constraint { text += " [constraint \(constraint)]" }
        return text
    }
}
