/// The code by which PostgreSQL names an error (PostgreSQL, Appendix A). Constants are those that somebody asks for.
package struct SQLState: RawRepresentable, Hashable, Sendable {
    /// Five characters, digits and capital letters.
    package let rawValue: String

    package init(rawValue: String) { self.rawValue = rawValue }

    package static let featureNotSupported = SQLState(rawValue: "0A000")
    package static let characterNotInRepertoire = SQLState(rawValue: "22021")
    package static let notNullViolation = SQLState(rawValue: "23502")
    package static let uniqueViolation = SQLState(rawValue: "23505")
    package static let checkViolation = SQLState(rawValue: "23514")
    package static let readOnlyTransaction = SQLState(rawValue: "25006")
    package static let idleInTransaction = SQLState(rawValue: "25P03")
    package static let invalidStatementName = SQLState(rawValue: "26000")
    package static let invalidCatalogName = SQLState(rawValue: "3D000")
    package static let serializationFailure = SQLState(rawValue: "40001")
    package static let deadlockDetected = SQLState(rawValue: "40P01")
    package static let insufficientPrivilege = SQLState(rawValue: "42501")
    package static let syntaxError = SQLState(rawValue: "42601")
    package static let diskFull = SQLState(rawValue: "53100")
    package static let tooManyConnections = SQLState(rawValue: "53300")
    package static let lockNotAvailable = SQLState(rawValue: "55P03")
    package static let queryCanceled = SQLState(rawValue: "57014")
    package static let adminShutdown = SQLState(rawValue: "57P01")
}
