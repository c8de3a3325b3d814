import ArgumentParser
import Configuration
import Logging
import Synchronization
import Testing

@testable import sluice

@Suite("Settings")
struct SettingsTests {
    private static let declared = ServerSettings.all + DatabaseSettings.all + SealingSettings.all

    private static func settings(
        _ arguments: [String] = [], _ environment: [String: String] = [:], reporter: Accesses? = nil
    ) throws -> Settings {
        let command = try #require(try ServeCommand.parseAsRoot(arguments) as? ServeCommand)
        return try Settings(
            SettingReader(
                command.server.given + command.database.given, environment: environment, reporter: reporter))
    }

    @Test("come from the option, then from the variable, then from the default")
    func precedence() throws {
        #expect(try Self.settings().http.port == 8080)
        #expect(try Self.settings([], ["SLUICE_HTTP": "h:1"]).http.port == 1)
        #expect(try Self.settings(["--http", "h:2"], ["SLUICE_HTTP": "h:1"]).http.port == 2)
        #expect(try Self.settings(["--http=h:2"], ["SLUICE_HTTP": "nonsense"]).http.port == 2)
        #expect(try Self.settings([], ["SLUICE_XDS": "h:3"]).xdsAdvertised.port == 3)
    }

    @Test("An empty variable counts as not set")
    func empty() throws {
        let settings = try Self.settings(
            [], ["SLUICE_HTTP": "", "SLUICE_ADMIN_TOKEN": "", "SLUICE_PROXY_RETENTION": "", "SLUICE_XDS_TLS_KEY": ""])
        #expect(settings.http.port == 8080)
        #expect(settings.adminToken == nil)
        #expect(settings.proxyRetention == .seconds(3_600))
        #expect(settings.xdsTLS == nil)
    }

    @Test("Origins are separated by commas, with or without blanks")
    func origins() throws {
        #expect(try Self.settings(["--cors-origins", "https://a, https://b,"]).origins == ["https://a", "https://b"])
    }

    @Test("Every default keeps its own rule")
    func defaults() throws {
        let settings = try Self.settings()
        #expect(settings.xds.port == 15_010)
        #expect(settings.watchHeartbeat == .seconds(15))
        #expect(settings.logLevel == .info)
        #expect(settings.listenerTTL == nil && settings.loadReportInterval == nil)
        #expect(
            try SettingReader([], environment: [:]).value(of: DatabaseSettings.dataDirectory) == ".sluice")
    }

    @Test(
        "A value that breaks its rule is named with its setting, wherever it was given",
        arguments: [
            ("http", "8080", "must be HOST:PORT with a host, such as 127.0.0.1:8080, not \"8080\""),
            ("http", ":8080", "must be HOST:PORT with a host, such as 127.0.0.1:8080, not \":8080\""),
            ("xds", "h:70000", "must be HOST:PORT"), ("xds-advertise", "h", "must be HOST:PORT"),
            ("proxy-retention", "59s", "must be a duration of 1m at least, not \"59s\""),
            ("listener-ttl", "2s", "must be a duration of 3s at least"),
            ("watch-heartbeat", "x", "must be a duration of 1s at least"),
            ("load-report-interval", "0s", "must be a duration of 1s at least"),
            (
                "egress-allow", "10.0.0.0/8,somewhere",
                "must be networks such as 10.0.0.0/8 or fd00::/8, separated by commas"
            ),
            ("log-level", "loud", "must be one of trace, debug,"), ("database-url", "db", "must be a URL"),
        ])
    func wrong(name: String, text: String, rule: String) throws {
        let setting = try #require(Self.declared.first { $0.name == name })
        for (arguments, environment) in [(["--\(name)", text], [:]), ([], [setting.variable: text])] {
            let error = try #require(throws: ConfigurationError.self) { try Self.settings(arguments, environment) }
            #expect(error.description.hasPrefix("--\(name) (\(setting.variable)) \(rule)"))
        }
    }

    @Test(
        "A setting of TLS that lacks another one is named with it",
        arguments: [
            (
                ["--xds-tls-cert", "c"],
                "--xds-tls-cert (SLUICE_XDS_TLS_CERT) and --xds-tls-key (SLUICE_XDS_TLS_KEY) go together"
            ),
            (["--xds-tls-ca", "a"], "--xds-tls-ca (SLUICE_XDS_TLS_CA) needs --xds-tls-cert (SLUICE_XDS_TLS_CERT) and"),
            (["--xds-tls-client-ca", "a"], "--xds-tls-client-ca (SLUICE_XDS_TLS_CLIENT_CA) needs --xds-tls-cert"),
            (["--xds-tls-client-key", "k"], "--xds-tls-client-key (SLUICE_XDS_TLS_CLIENT_KEY) needs --xds-tls-cert"),
            (
                ["--xds-tls-client-cert", "c", "--xds-tls-client-key", "k"],
                "--xds-tls-client-cert (SLUICE_XDS_TLS_CLIENT_CERT) needs --xds-tls-cert"
            ),
            (
                ["--xds-tls-cert", "c", "--xds-tls-key", "k", "--xds-tls-client-key", "k"],
                "--xds-tls-client-cert (SLUICE_XDS_TLS_CLIENT_CERT) and --xds-tls-client-key (SLUICE_XDS_TLS_CLIENT_KEY) go"
            ),
        ])
    func incomplete(arguments: [String], text: String) throws {
        let error = try #require(throws: ConfigurationError.self) { try Self.settings(arguments) }
        #expect(error.description.hasPrefix(text))
    }

    @Test("A file of TLS that cannot be used is named with its setting")
    func files() throws {
        // A file that is there and has no certificate in it.
        let own = ["--xds-tls-cert", "/dev/null", "--xds-tls-key", "/dev/null"]
        for (arguments, text) in [
            (
                ["--xds-tls-cert", "/no/c", "--xds-tls-key", "k"],
                "--xds-tls-cert (SLUICE_XDS_TLS_CERT): cannot read /no/c"
            ),
            (own + ["--xds-tls-ca", "/no/a"], "--xds-tls-ca (SLUICE_XDS_TLS_CA): cannot read /no/a"),
            (
                own + ["--xds-tls-client-ca", "/no/a"],
                "--xds-tls-client-ca (SLUICE_XDS_TLS_CLIENT_CA): cannot read /no/a"
            ),
            (own, "--xds-tls-cert (SLUICE_XDS_TLS_CERT): /dev/null has no certificate in PEM"),
            (
                own + ["--xds-tls-ca", "/dev/null"],
                "--xds-tls-ca (SLUICE_XDS_TLS_CA): /dev/null has no certificate in PEM"
            ),
        ] {
            let error = try #require(throws: ConfigurationError.self) { try Self.settings(arguments) }
            #expect(error.description == text)
        }
    }

    @Test("A secret that breaks its rule is not repeated")
    func secretInError() throws {
        let error = try #require(throws: ConfigurationError.self) {
            try Self.settings([], ["SLUICE_ADMIN_TOKEN": "hunter2"])
        }
        #expect(error.description.hasPrefix("SLUICE_ADMIN_TOKEN must have 16 bytes at least (limit adminTokenLength)"))
        #expect(!error.description.contains("hunter2"))
    }

    @Test("Each one that is declared is read, and the record of reading has no secret in it")
    func accesses() throws {
        let accesses = Accesses()
        let (token, url) = ("0123456789abcdef0123", "postgres://u:hunter2@h/db")
        let kek = "k1:" + String(repeating: "A", count: 43) + "="
        let arguments = ["--database-url", url]
        let environment = ["SLUICE_ADMIN_TOKEN": token, "SLUICE_HTTP": "h:1", "SLUICE_KEK": kek]
        let settings = try Self.settings(arguments, environment, reporter: accesses)
        _ = try KeyFile.keys(SettingReader([], environment: environment, reporter: accesses), for: settings.database)
        let told = accesses.all.withLock { $0 }
        #expect(told.map(\.name).sorted() == Self.declared.map(\.name).sorted())
        #expect(told.contains { $0.text.contains("h:1") })
        #expect(!told.contains { $0.text.contains("hunter2") || $0.text.contains(token) || $0.text.contains(kek) })
    }

    @Test("The help has each option with its variable and default")
    func help() throws {
        let options: [(name: String, variable: String, defaultText: String?)] = [
            ("http", "SLUICE_HTTP", "127.0.0.1:8080"), ("xds", "SLUICE_XDS", "127.0.0.1:15010"),
            ("xds-advertise", "SLUICE_XDS_ADVERTISE", "the one of --xds"),
            ("xds-tls-cert", "SLUICE_XDS_TLS_CERT", nil), ("xds-tls-key", "SLUICE_XDS_TLS_KEY", nil),
            ("xds-tls-ca", "SLUICE_XDS_TLS_CA", "the file of --xds-tls-cert, right for a self-signed one"),
            ("xds-tls-client-ca", "SLUICE_XDS_TLS_CLIENT_CA", nil),
            ("xds-tls-client-cert", "SLUICE_XDS_TLS_CLIENT_CERT", nil),
            ("xds-tls-client-key", "SLUICE_XDS_TLS_CLIENT_KEY", nil), ("cors-origins", "SLUICE_CORS_ORIGINS", nil),
            ("proxy-retention", "SLUICE_PROXY_RETENTION", "1h"), ("listener-ttl", "SLUICE_LISTENER_TTL", nil),
            ("watch-heartbeat", "SLUICE_WATCH_HEARTBEAT", "15s"),
            ("load-report-interval", "SLUICE_LOAD_REPORT_INTERVAL", nil),
            ("egress-allow", "SLUICE_EGRESS_ALLOW", nil), ("log-level", "SLUICE_LOG_LEVEL", "info"),
            ("database-url", "SLUICE_DATABASE_URL", nil), ("data-dir", "SLUICE_DATA_DIR", ".sluice"),
            ("kek-file", "SLUICE_KEK_FILE", nil),
        ]
        let help = Self.help
        #expect(help.count == options.count)
        for option in options {
            let ending = option.defaultText.map { " (default: \($0))" } ?? ""
            let text = try #require(help.first { $0.hasPrefix("--\(option.name) <\(option.name)> ") })
            #expect(text.hasSuffix(" [\(option.variable)]\(ending)"))
        }
        #expect(help.contains { $0.contains("for example 30m. At least 1m. [SLUICE_PROXY_RETENTION]") })
    }

    @Test("The token is no option")
    func token() {
        #expect(ServeCommand.helpMessage().contains("SLUICE_ADMIN_TOKEN"))
        #expect(throws: (any Error).self) { try ServeCommand.parseAsRoot(["--admin-token", "x"]) }
    }

    /// What the help of `serve` says of each option, however it is broken into lines.
    private static var help: [Substring] {
        let text = ServeCommand.helpMessage().split(whereSeparator: \.isWhitespace).joined(separator: " ")
        return text.split(separator: #/ (?=--[a-z-]+ <|--version |-h, )/#).filter { $0.contains(/^--[a-z-]+ </) }
    }

    @Test("Commands of the database have its settings, and no others")
    func commands() throws {
        for arguments in [
            ["keys", "list"], ["keys", "remove", "k"], ["migrate", "up"], ["keys", "kek", "rotate"],
            ["keys", "data", "rotate"], ["keys", "verify"],
        ] {
            let command = try #require(
                try Sluice.parseAsRoot(arguments + ["--database-url", "postgres://h/db"]) as? any DatabaseCommand)
            #expect(command.database.given.map(\.text) == ["postgres://h/db"])
            #expect(throws: (any Error).self) { try Sluice.parseAsRoot(arguments + ["--http", "h:1"]) }
        }
    }
}

/// Remembers what was read.
private final class Accesses: AccessReporter {
    let all = Mutex<[(name: String, text: String)]>([])

    func report(_ event: AccessEvent) {
        let text = "\(event.result) \(event.providerResults)"
        all.withLock { $0.append((event.metadata.key.components.last ?? "", text)) }
    }
}
