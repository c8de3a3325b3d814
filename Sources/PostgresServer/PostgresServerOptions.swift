/// Where a private PostgreSQL lives and how it is set up.
package struct PostgresServerOptions: Sendable {
    /// Sluice's data directory; the cluster becomes its subdirectory `postgres`.
    package var dataDirectory: String
    /// Whether a commit survives a power cut (`fsync`). Off only for tests.
    package var isDurable = true
    /// Whether the role may create databases, as tests want it.
    package var mayCreateDatabases = false
    /// Directories to look for PostgreSQL's programs in; `nil` for the usual ones, see ``Installation``.
    package var searchPath: [String]?
    /// How long a start, crash recovery included, or a stop may take. Default 60 s.
    package var patience: Duration = .seconds(60)
    /// Where to put the cluster if the account that runs PostgreSQL cannot reach ``dataDirectory``.
    package var fallbackDirectory = "/var/lib/sluice"

    package init(dataDirectory: String) { self.dataDirectory = dataDirectory }
}

/// Why a private PostgreSQL cannot be had. The text is for the operator.
package struct PostgresServerError: Error, Hashable, Sendable, CustomStringConvertible {
    package let description: String

    init(_ description: String) { self.description = description }
}
