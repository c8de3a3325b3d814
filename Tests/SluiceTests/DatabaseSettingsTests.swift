import Foundation
import Testing

@testable import sluice

@Suite("The database that is meant")
struct DatabaseSettingsTests {
    private static func reader(_ url: String) -> SettingReader {
        SettingReader([GivenSetting(setting: DatabaseSettings.url, text: url)], environment: [:])
    }

    @Test(
        "is a URL or a string of keywords",
        arguments: ["postgres://h/db", "postgresql://u:p@h/db", "host=/run user=sluice password='a://b'", "dbname = x"])
    func good(_ url: String) throws {
        #expect(try DatabaseLocation(Self.reader(url)) == .url(url))
    }

    @Test("or a private one's directory, which is not made before it is used")
    func directory() throws {
        let path = "/tmp/sluice-\(UUID().uuidString)"
        let given = [GivenSetting(setting: DatabaseSettings.dataDirectory, text: path)]
        #expect(try DatabaseLocation(SettingReader(given, environment: [:])) == .directory(path))
        #expect(!FileManager.default.fileExists(atPath: path))
    }

    @Test("which is named with its setting if it cannot be made")
    func noDirectory() throws {
        let error = try #require(throws: ConfigurationError.self) { try DatabaseLocation.makeDirectory("/dev/null/x") }
        #expect(error.description.hasPrefix("--data-dir (SLUICE_DATA_DIR): cannot make /dev/null/x: "))
    }

    @Test(
        "and nothing that libpq takes for a database's name; what was given is not repeated",
        arguments: ["postgress://u:secret@h/db", "secret", "jdbc:postgresql://u:secret@h/db"])
    func bad(_ url: String) throws {
        let error = try #require(throws: ConfigurationError.self) { try DatabaseLocation(Self.reader(url)) }
        #expect(error.description.contains("--database-url (SLUICE_DATABASE_URL)"))
        #expect(!error.description.contains("secret"))
    }
}
