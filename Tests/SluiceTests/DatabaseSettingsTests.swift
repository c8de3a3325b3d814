import Testing

@testable import sluice

@Suite("The database that is meant")
struct DatabaseSettingsTests {
    private static func reader(_ url: String) -> SettingReader {
        SettingReader([SaidSetting(setting: DatabaseSettings.url, text: url)], environment: [:])
    }

    @Test(
        "is a URL or a string of keywords",
        arguments: ["postgres://h/db", "postgresql://u:p@h/db", "host=/run user=sluice password='a://b'", "dbname = x"])
    func good(_ url: String) throws {
        #expect(try DatabaseLocation(Self.reader(url)) == .url(url))
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
