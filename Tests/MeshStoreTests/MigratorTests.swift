import Foundation
import Postgres
import TestSupport
import StoreFixtures
import Testing

@testable import MeshStore

@Suite("Migrations")
struct MigratorTests {
    static let first = Migrator.Migration(name: "0001_first", script: "CREATE TABLE first (a text);\n")
    static let second = Migrator.Migration(
        name: "0002_second", script: "ALTER TABLE first ADD COLUMN b text;\nCREATE TABLE second (c text);")

    @Test("an empty database gets all migrations, in order, and a second run finds nothing to do")
    func up() async throws {
        try await StoreFixture.runEmpty { pool in
            let migrator = Migrator(pool: pool)
            #expect(try await migrator.status().map(\.appliedAt) == Array(repeating: nil, count: Migrator.all.count))
            #expect(try await migrator.up() == Migrator.all.map(\.name))
            #expect(try await migrator.up() == [])
            let status = try await migrator.status()
            #expect(status.map(\.name) == Migrator.all.map(\.name))
            for migration in status {
                #expect(migration.appliedAt?.wholeMatch(of: /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ/) != nil)
            }
        }
    }

    @Test("the program carries exactly the files of the folder")
    func folder() throws {
        let folder = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../migrations")
        let files = try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted()
        #expect(files == Migrator.all.map { $0.name + ".sql" })
        for migration in Migrator.all {
            let text = try String(contentsOf: folder.appending(path: migration.name + ".sql"), encoding: .utf8)
            #expect(migration.script == text)
        }
    }

    @Test("a later program applies only what is new")
    func newMigration() async throws {
        try await StoreFixture.runEmpty { pool async throws in
            #expect(try await Migrator(pool: pool, migrations: [Self.first]).up() == ["0001_first"])
            let later = Migrator(pool: pool, migrations: [Self.first, Self.second])
            #expect(try await later.status().map { $0.appliedAt != nil } == [true, false])
            #expect(try await later.up() == ["0002_second"])
        }
    }

    @Test("of migrators that start together each migration is applied by one only")
    func together() async throws {
        try await StoreFixture.runEmpty { pool in
            let applied = try await withThrowingTaskGroup(of: [String].self) { group in
                for _ in 0..<4 { group.addTask { try await Migrator(pool: pool).up() } }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(applied.filter { !$0.isEmpty } == [Migrator.all.map(\.name)])
        }
    }

    @Test("a migration whose text has changed since it was applied is refused, and nothing else is applied")
    func changed() async throws {
        try await StoreFixture.runEmpty { pool in
            try await Migrator(pool: pool, migrations: [Self.first]).up()
            var edited = Self.first
            edited.script += "-- a comment"
            let migrator = Migrator(pool: pool, migrations: [edited, Self.second])
            await #expect(throws: Migrator.Failure.changed("0001_first")) { try await migrator.up() }
            await #expect(throws: Migrator.Failure.changed("0001_first")) { try await migrator.status() }
            #expect(try await Self.exists("second", pool) == false)
        }
    }

    @Test("what a newer program has only added is none of an older one's business, and is not applied again")
    func additions() async throws {
        try await StoreFixture.runEmpty { pool in
            var addition = Self.second
            addition.isAdditive = true
            try await Migrator(pool: pool, migrations: [Self.first, addition]).up()
            let older = Migrator(pool: pool, migrations: [Self.first])
            #expect(try await older.up() == [])
            #expect(try await older.status().map(\.name) == ["0001_first"])
            let newer = Migrator(pool: pool, migrations: [Self.first, addition])
            #expect(try await newer.status().map { $0.appliedAt != nil } == [true, true])
            #expect(try await newer.up() == [])
            // Programs that know no additions look into the other table only.
            let names = try await pool.query("SELECT name FROM schema_migration").map {
                try $0["name", as: String.self]
            }
            #expect(names == ["0001_first"])
            // One that was applied before it was called an addition.
            let third = Migrator.Migration(name: "0003_third", script: "CREATE TABLE third (d text)")
            try await Migrator(pool: pool, migrations: [Self.first, addition, third]).up()
            var renamed = third
            renamed.isAdditive = true
            #expect(try await Migrator(pool: pool, migrations: [Self.first, addition, renamed]).up() == [])
            addition.script += "-- a comment"
            await #expect(throws: Migrator.Failure.changed("0002_second")) {
                try await Migrator(pool: pool, migrations: [Self.first, addition, third]).up()
            }
        }
    }

    @Test("a database that a newer program has migrated is refused")
    func newer() async throws {
        try await StoreFixture.runEmpty { pool in
            try await Migrator(pool: pool, migrations: [Self.first, Self.second]).up()
            let older = Migrator(pool: pool, migrations: [Self.first])
            await #expect(throws: Migrator.Failure.unknown("0002_second")) { try await older.up() }
            await #expect(throws: Migrator.Failure.unknown("0002_second")) { try await older.status() }
        }
    }

    @Test("a migration that fails leaves nothing, keeps those before it, and can be mended")
    func failing() async throws {
        try await StoreFixture.runEmpty { pool async throws in
            let broken = Migrator.Migration(
                name: "0002_second", script: "CREATE TABLE second (c text); SELECT 1 / 0; CREATE TABLE third (d text);")
            let error = await #expect(throws: Migrator.Failure.self) {
                try await Migrator(pool: pool, migrations: [Self.first, broken]).up()
            }
            guard case .failed("0002_second", let reason) = error else {
                Issue.record("\(String(describing: error))")
                return
            }
            #expect(reason.sqlState == SQLState(rawValue: "22012"))
            #expect(try await Self.exists("first", pool))
            #expect(try await !Self.exists("second", pool))
            // The lock is free again, and the same name may come with another text.
            #expect(try await Migrator(pool: pool, migrations: [Self.first, Self.second]).up() == ["0002_second"])
        }
    }

    @Test("a migration waits for a lock for a moment at a time; the session is as before when it is done")
    func lockTimeout() async throws {
        try await StoreFixture.runEmpty { pool async throws in
            let query: Statement = "SELECT current_setting('lock_timeout') AS value"
            try await pool.withConnection { connection in _ = try await connection.query("SET lock_timeout = '7s'") }
            let asks = Migrator.Migration(
                name: "0001_asks", script: "CREATE TABLE asked AS SELECT current_setting('lock_timeout') AS value")
            #expect(try await Migrator(pool: pool, migrations: [asks]).up() == ["0001_asks"])
            #expect(try await pool.query("SELECT value FROM asked").first?["value", as: String.self] == "3s")
            #expect(try await pool.query(query).first?["value", as: String.self] == "7s")
        }
    }

    @Test(
        "a script may end without a semicolon or in a comment",
        arguments: ["", ";", " -- end", "; -- end", ";\n-- end\n"])
    func endings(_ ending: String) async throws {
        try await StoreFixture.runEmpty { pool async throws in
            let migration = Migrator.Migration(name: "0001_first", script: "CREATE TABLE first (a text)" + ending)
            let migrator = Migrator(pool: pool, migrations: [migration])
            #expect(try await migrator.up() == ["0001_first"])
            #expect(try await migrator.up() == [])
            #expect(try await Self.exists("first", pool))
        }
    }

    @Test("the checksum is the script's SHA-256")
    func checksum() {
        let migration = Migrator.Migration(name: "any", script: "abc")
        #expect(migration.checksum == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
    }

    private static func exists(_ table: String, _ pool: Pool) async throws -> Bool {
        let rows = try await pool.query("SELECT to_regclass(\(table)) IS NOT NULL AS found")
        return try #require(rows.first)["found"]
    }
}
