internal import ArgumentParser
internal import Logging
internal import MeshStore
internal import Postgres
internal import PostgresServer

/// `sluice migrate up` and `sluice migrate status`.
struct MigrateCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "migrate",
        abstract: "Bring the database's schema up to date, or say how it stands.",
        discussion: SettingReader.help,
        subcommands: [Up.self, Status.self])

    struct Up: DatabaseCommand {
        static let configuration = CommandConfiguration(abstract: "Apply every migration that has not been applied.")
        @OptionGroup var database: SettingOptions<DatabaseSettings>

        mutating func run() async throws {
            let applied = try await withPool { try await Migrator(pool: $0).up() }
            print(applied.isEmpty ? "up to date" : applied.map { "applied \($0)" }.joined(separator: "\n"))
        }
    }

    struct Status: DatabaseCommand {
        static let configuration = CommandConfiguration(abstract: "List the migrations and when they were applied.")
        @OptionGroup var database: SettingOptions<DatabaseSettings>

        mutating func run() async throws {
            for migration in try await withPool({ try await Migrator(pool: $0).status() }) { print(migration) }
        }
    }
}
