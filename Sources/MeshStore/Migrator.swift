internal import Crypto
package import Postgres

/// Brings the database's schema to what this program expects: forward only, in order, each migration in a transaction of
/// its own.
///
/// Replicas may start together: a lock in the database lets one migrate while the others wait. A migration whose text
/// is no longer what was applied is refused, because nobody can know what the schema is then. So is one that this program does not
/// know, unless it only added what versions without it can live with (``Migration/isAdditive``): those are recorded in a
/// table of their own, where versions that refuse everything unknown do not look. So there is a way back from them.
package struct Migrator: Sendable {
    /// One file of `migrations/`, built into the program.
    package struct Migration: Hashable, Sendable {
        /// The file's name without its suffix, for example `0001_objects`.
        package var name: String
        package var script: String
        /// Whether versions that do not know it go on working with the database, so that one can go back to them.
        package var isAdditive = false

        /// SHA-256 of the script, in hexadecimal digits.
        package var checksum: String {
            SHA256.hash(data: Array(script.utf8)).map { byte in
                let digits = String(byte, radix: 16)
                return digits.count == 1 ? "0" + digits : digits
            }.joined()
        }
    }

    /// How one migration stands.
    package struct Status: Hashable, Sendable, CustomStringConvertible {
        package var name: String
        /// RFC 3339; `nil`: not applied yet.
        package var appliedAt: String?

        package var description: String { "\(name)  \(appliedAt.map { "applied \($0)" } ?? "pending")" }
    }

    /// Why nothing was migrated.
    package enum Failure: Error, Sendable, Equatable, CustomStringConvertible {
        /// The applied migration has another text than the one in this program.
        case changed(String)
        /// The database has a migration that this program does not know: it was used by a newer one.
        case unknown(String)
        case failed(String, PostgresError)

        package static func == (a: Failure, b: Failure) -> Bool { a.description == b.description }

        package var description: String {
            switch self {
            case .changed(let name): "migration \(name) was applied with another text than this program has"
            case .unknown(let name):
                "the database has migration \(name), which this program does not know; use a newer one"
            case .failed(let name, let error): "migration \(name) failed: \(error)"
            }
        }
    }

    private let pool: Pool
    private let migrations: [Migration]

    /// - Parameter migrations: in order; for tests.
    package init(pool: Pool, migrations: [Migration] = Migrator.all) {
        self.pool = pool
        self.migrations = migrations
    }

    /// All migrations, in order. A test compares the list with the folder.
    package static let all: [Migration] = [
        Migration(name: "0001_objects", script: text(PackageResources._001_objects_sql)),
        Migration(name: "0002_releases", script: text(PackageResources._002_releases_sql)),
        Migration(name: "0003_proxies", script: text(PackageResources._003_proxies_sql)),
        Migration(name: "0004_proxy_rejections", script: text(PackageResources._004_proxy_rejections_sql)),
        Migration(name: "0005_proxy_feed", script: text(PackageResources._005_proxy_feed_sql)),
        Migration(name: "0006_proxy_updates", script: text(PackageResources._006_proxy_updates_sql)),
        Migration(
            name: "0007_one_release_a_service", script: text(PackageResources._007_one_release_a_service_sql)),
        Migration(name: "0008_proxy_barrier", script: text(PackageResources._008_proxy_barrier_sql)),
        Migration(name: "0009_conditions", script: text(PackageResources._009_conditions_sql)),
        Migration(name: "0010_bounds", script: text(PackageResources._010_bounds_sql)),
        Migration(name: "0011_meshes", script: text(PackageResources._011_meshes_sql)),
        Migration(name: "0012_references", script: text(PackageResources._012_references_sql), isAdditive: true),
        Migration(name: "0013_telemetry", script: text(PackageResources._013_telemetry_sql), isAdditive: true),
        Migration(name: "0014_analysis", script: text(PackageResources._014_analysis_sql), isAdditive: true),
        Migration(name: "0015_reporters", script: text(PackageResources._015_reporters_sql), isAdditive: true),
        Migration(name: "0016_secrets", script: text(PackageResources._016_secrets_sql), isAdditive: true),
        Migration(
            name: "0017_notifications", script: text(PackageResources._017_notifications_sql), isAdditive: true),
        Migration(name: "0018_people", script: text(PackageResources._018_people_sql), isAdditive: true),
        Migration(
            name: "0019_freeze_windows", script: text(PackageResources._019_freeze_windows_sql), isAdditive: true),
    ]

    private static func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }

    /// Applies what has not been applied.
    ///
    /// - Returns: the names of the migrations that this call applied.
    /// - Throws: ``Failure``, or `PostgresError` if the database cannot be reached.
    @discardableResult
    package func up() async throws -> [String] {
        try await locked { connection in
            let applied = try await applied(connection)
            try check(applied)
            var names: [String] = []
            for migration in migrations where applied[migration.name] == nil {
                do {
                    try await apply(migration, on: connection)
                } catch let error as PostgresError {
                    throw Failure.failed(migration.name, error)
                }
                names.append(migration.name)
            }
            return names
        }
    }

    /// - Throws: ``Failure/changed(_:)``, ``Failure/unknown(_:)``.
    package func status() async throws -> [Status] {
        try await locked { connection in
            let applied = try await applied(connection)
            try check(applied)
            return migrations.map { Status(name: $0.name, appliedAt: applied[$0.name]?.at) }
        }
    }

    private func locked<T>(_ body: (Connection) async throws -> T) async throws -> T {
        try await pool.withConnection { connection in
            // A migration may take longer than any request, and so may waiting for the replica that is at it.
            let limits = try await connection.query(
                """
                SELECT name, current_setting(name) AS value, set_config(name, '0', false)
                  FROM unnest(ARRAY['statement_timeout', 'lock_timeout', 'transaction_timeout']) AS name
                 WHERE current_setting(name, true) IS NOT NULL
                """)
            // Session-level: it spans the migrations' own transactions, and ends with the connection at the latest.
            _ = try await connection.query("SELECT pg_advisory_lock(\(Self.lock))", timeout: Self.patience)
            let result: Result<T, any Error>
            do {
                result = .success(try await body(connection))
            } catch {
                result = .failure(error)
            }
            _ = try? await connection.query("SELECT pg_advisory_unlock(\(Self.lock))")
            let names = try limits.map { try $0["name", as: String.self] }
            let values = try limits.map { try $0["value", as: String.self] }
            _ = try? await connection.query(
                """
                SELECT set_config(name, value, false)
                  FROM unnest(\(names)::text[], \(values)::text[]) AS former (name, value)
                """)
            return try result.get()
        }
    }

    /// Applies one migration, as soon as it gets the locks that it needs.
    ///
    /// Who waits for a table's lock is waited for by everybody who comes later, readers too. So it waits for a moment only, and
    /// then lets the others through before it tries again.
    private func apply(_ migration: Migration, on connection: Connection) async throws {
        let deadline = ContinuousClock.now + Self.patience
        while true {
            guard let failure = await Self.failure(of: Self.script(migration), on: connection) else { return }
            guard failure.sqlState == .lockNotAvailable, ContinuousClock.now < deadline else { throw failure }
            try await Task.sleep(for: .seconds(1))
        }
    }

    private static func failure(of script: String, on connection: Connection) async -> PostgresError? {
        do throws(PostgresError) {
            _ = try await connection.execute(script: script, timeout: patience)
            return nil
        } catch {
            return error
        }
    }

    /// How long a migration, or another replica's migrations, may take.
    private static let patience = Duration.seconds(600)

    /// Any number will do, as long as all replicas use the same.
    private static let lock: Int64 = 0x736c_7569_6365

    private struct Applied {
        var checksum: String
        var at: String
        var isAdditive: Bool
    }

    private func applied(_ connection: Connection) async throws -> [String: Applied] {
        for table: Statement in ["schema_migration", "schema_addition"] {
            _ = try await connection.query(
                """
                CREATE TABLE IF NOT EXISTS \(table) (
                    name text PRIMARY KEY, checksum text NOT NULL, applied_at timestamptz NOT NULL DEFAULT now())
                """)
        }
        let rows = try await connection.query(
            """
            SELECT name, checksum, to_char(applied_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') AS at, additive
              FROM (SELECT *, false AS additive FROM schema_migration
                    UNION ALL SELECT *, true FROM schema_addition) AS applied
            """)
        var applied: [String: Applied] = [:]
        for row in rows {
            applied[try row["name", as: String.self]] = Applied(
                checksum: try row["checksum"], at: try row["at"], isAdditive: try row["additive"])
        }
        return applied
    }

    private func check(_ applied: [String: Applied]) throws(Failure) {
        for migration in migrations {
            if let checksum = applied[migration.name]?.checksum, checksum != migration.checksum {
                throw .changed(migration.name)
            }
        }
        let known = Set(migrations.map(\.name))
        let unknown = applied.filter { !$0.value.isAdditive && !known.contains($0.key) }.keys.sorted()
        if let name = unknown.first { throw .unknown(name) }
    }

    /// How long a migration waits for a lock that somebody has: whoever comes after it waits for it too.
    private static let lockTimeout = "3s"

    /// The script with the record of it, both or neither: the simple protocol runs a script of several statements as one
    /// transaction, which also ends when one of them fails. The name comes from this program, so it needs no escaping.
    private static func script(_ migration: Migration) -> String {
        """
        SELECT set_config('lock_timeout', '\(lockTimeout)', true);
        \(migration.script)
        ;
        INSERT INTO \(migration.isAdditive ? "schema_addition" : "schema_migration") (name, checksum) VALUES ('\(migration.name)', '\(migration.checksum)')
        """
    }
}
