/// Why a call to PostgreSQL failed.
///
/// Field meanings: PostgreSQL 55.8, "Error and Notice Message Fields". `detail` may quote values of the row at fault,
/// so it belongs into logs, not into answers to strangers.
package struct PostgresError: Error, Sendable {
    /// The kind of failure: who noticed it, and what it means for the caller.
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
    /// The server's context, for example `while updating tuple (0,1) in relation "mesh"`.
    package var context: String?
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
        context = result.errorField("W")
        // FATAL ends the session (57P01 and friends); an error without SQLSTATE is libpq's own about a broken
        // connection.
        if severity == "FATAL" || severity == "PANIC" || sqlState == nil { kind = .connectionLost }
    }

    /// - Parameter text: libpq's reason why it did not connect, a line for each host, in its verbose form:
    ///   `FATAL:  53300: sorry, too many clients already`, then where in its own source the server says so.
    init(connecting text: String) {
        var message = text.trimmedLines
        var code: SQLState?
        if let found = message.firstMatch(of: Self.codeInText) {
            code = SQLState(rawValue: String(found.2))
            message = message.replacing(Self.codeInText) { "\($0.1)\($0.3)" }
        }
        self.init(.connectionFailed, message)
        sqlState = code
    }

    private static var codeInText: Regex<(Substring, Substring, Substring, Substring)> {
        /((?:FATAL|ERROR|PANIC): +)([0-9A-Z]{5})(?:: )(\S)/
    }

    /// A resource that the server ran out of (class 53, "Insufficient Resources").
    package enum Shortage: Sendable, Hashable {
        case disk, memory, connections, other
    }

    /// The resource that the server has run out of; `nil` if it is another error.
    package var shortage: Shortage? {
        switch sqlState?.rawValue {
        case "53100"?: .disk
        case "53200"?: .memory
        case "53300"?: .connections
        case let code?: code.hasPrefix("53") ? .other : nil
        case nil: nil
        }
    }

    /// The table one of whose rows the statement waited for until it was given up; `nil` if it did not wait for a row.
    package var lockedTable: String? {
        guard kind == .timedOut || kind == .cancelled || sqlState == .lockNotAvailable else { return nil }
        return context?.firstMatch(of: /while [a-z]+ tuple \([0-9,]+\) in relation "([^"]+)"/).map { String($0.1) }
    }

    /// Whether nobody but an operator can make a connection of this: who the client is, or which database it wants, is wrong.
    /// Anything else may be better when it is tried again.
    package var isRefusal: Bool {
        guard kind == .connectionFailed, let code = sqlState?.rawValue else { return false }
        return code.hasPrefix("28") || code.hasPrefix("3D") || code.hasPrefix("42")
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
            return code.hasPrefix("08") || code.hasPrefix("57P0") || code.hasPrefix("53") || code == "25006"
                || code == "55P03"
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
