internal import ArgumentParser
internal import Foundation

/// The command line: the only reader of configuration, and the only place where the targets are put together.
@main
struct Sluice: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "sluice",
        abstract: "A management API server for a service mesh.",
        discussion: """
            Exit codes: 0 ended as asked, 1 failed, 64 bad usage, 78 bad configuration.
            """,
        version: Version.current,
        subcommands: [ServeCommand.self, MigrateCommand.self, KeysCommand.self])

    /// ArgumentParser's own `main()` would end with 1 for bad configuration too.
    static func main() async {
        StandardStreams.secure()
        // Empty counts as not set, as with every other variable; swift-configuration would look for a file without a name.
        if ProcessInfo.processInfo.environment["CONFIG_ACCESS_LOG_FILE"]?.isEmpty == true {
            unsafe unsetenv("CONFIG_ACCESS_LOG_FILE")
        }
        do {
            var command = try parseAsRoot()
            if var asynchronous = command as? any AsyncParsableCommand {
                try await asynchronous.run()
            } else {
                try command.run()
            }
            LogWriter.standardError.flush(atMost: lastWords)
        } catch let error as ConfigurationError {
            fail(error.description, code: 78)
        } catch let error as Failure {
            fail(error.description, code: 1)
        } catch {
            exit(withError: error)
        }
    }

    /// How long the end of the program waits for whoever reads its log.
    static let lastWords = Duration.seconds(1)

    private static func fail(_ message: String, code: Int32) -> Never {
        LogWriter.standardError.write(Array("sluice: \(message)\n".utf8))
        LogWriter.standardError.flush(atMost: lastWords)
        Foundation.exit(code)
    }
}

/// A setting that cannot be used; the program ends with 78 (`EX_CONFIG`).
struct ConfigurationError: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}

/// Something that was asked for and could not be done; the program ends with 1.
struct Failure: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}

/// The version, as `sluice --version` and `/version` say it.
enum Version {
    static let current = "0.1.0"
}
