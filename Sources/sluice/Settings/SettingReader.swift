internal import Configuration
internal import Foundation

/// Reads settings: what the command line gives wins, then what the environment gives, then what holds without either.
///
/// Precedence, the names of variables and the secrecy of values are swift-configuration's, so `CONFIG_ACCESS_LOG_FILE` tells
/// which setting came from where. What a text means is the setting's own rule: the library's conversions take a wrong value
/// for a missing one, or throw an error that does not say what would be right.
struct SettingReader: Sendable {
    /// The text of `--help` about all of them.
    static let help = """
        Every option has an environment variable, named in brackets; the option wins. CONFIG_ACCESS_LOG_FILE names a file that \
        is told which setting was read from where; secrets are left out.
        """

    private let config: ConfigReader

    /// - Parameters:
    ///   - given: what the command line gives.
    ///   - environment: variables; an empty one counts as not set.
    ///   - reporter: is told of every reading.
    init(
        _ given: [GivenSetting], environment: [String: String] = ProcessInfo.processInfo.environment,
        reporter: (any AccessReporter)? = nil
    ) {
        let options = given.map {
            (AbsoluteConfigKey($0.setting.key), ConfigValue(.string($0.text), isSecret: $0.setting.isSecret))
        }
        config = ConfigReader(
            providers: [
                InMemoryProvider(name: "command line", values: Dictionary(options) { _, last in last }),
                EnvironmentVariablesProvider(environmentVariables: environment.filter { !$0.value.isEmpty }),
            ], accessReporter: reporter)
    }

    /// - Throws: ``ConfigurationError`` naming the setting and its rule, if what was given breaks it.
    func value<Value>(of setting: Setting<Value>) throws(ConfigurationError) -> Value {
        let given = config.string(forKey: setting.key, isSecret: setting.isSecret)
        do {
            return try setting.value(given)
        } catch {
            let quoted = setting.isSecret ? "" : given.map { ", not \"\($0)\"" } ?? ""
            throw ConfigurationError("\(setting) must \(setting.rule)\(quoted)")
        }
    }
}

extension DeclaredSetting {
    /// The key of which the environment's provider makes ``variable``.
    fileprivate var key: ConfigKey { ConfigKey(["sluice", name]) }
}
