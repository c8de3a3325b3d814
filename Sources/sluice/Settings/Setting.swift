/// Something that `sluice` can be told, declared once: what it is called and for, what holds without it, and what may be given.
///
/// Its option, its environment variable, its lines of `--help`, its reading and its errors all follow from the declaration.
struct Setting<Value: Sendable>: DeclaredSetting {
    let name: String
    let help: String
    let defaultText: String?
    let isSecret: Bool
    let hasOption: Bool
    /// The rule for a value, as the end of a sentence: `be HOST:PORT`.
    let rule: String
    /// The value of the text that was given, or of none.
    let value: @Sendable (_ given: String?) throws(BrokenRule) -> Value
}

/// The text that was given is not what the setting's rule says.
struct BrokenRule: Error {}

extension Setting {
    /// A setting that always has a value.
    ///
    /// - Parameter defaultText: what holds when nothing is given, as one would give it.
    init(
        _ name: String, _ help: String, default defaultText: String, must rule: String,
        _ parse: @escaping @Sendable (String) -> Value?
    ) {
        self.init(
            name: name, help: help, defaultText: defaultText, isSecret: false, hasOption: true, rule: rule,
            value: { given throws(BrokenRule) in
                guard let value = parse(given ?? defaultText) else { throw BrokenRule() }
                return value
            })
    }

    /// A setting that has no value when none is given.
    ///
    /// - Parameters:
    ///   - defaultText: what holds then, if the help does not say it.
    ///   - isSecret: whether neither errors nor logs may repeat what was given.
    ///   - hasOption: whether it can be given on the command line, which others can read.
    init<Given: Sendable>(
        _ name: String, _ help: String, otherwise defaultText: String? = nil, isSecret: Bool = false,
        hasOption: Bool = true, must rule: String, _ parse: @escaping @Sendable (String) -> Given?
    ) where Value == Given? {
        self.init(
            name: name, help: help, defaultText: defaultText, isSecret: isSecret, hasOption: hasOption, rule: rule,
            value: { given throws(BrokenRule) in
                guard let given else { return nil }
                guard let value = parse(given) else { throw BrokenRule() }
                return value
            })
    }
}

/// A setting, whatever the type of its value.
protocol DeclaredSetting: Sendable, CustomStringConvertible {
    /// In words with dashes between them: `xds-tls-cert` is `--xds-tls-cert` and `SLUICE_XDS_TLS_CERT`.
    var name: String { get }
    /// The help, in whole sentences.
    var help: String { get }
    /// The value that holds when nothing is given, for the help; `nil`: nothing, or the help says it.
    var defaultText: String? { get }
    var isSecret: Bool { get }
    var hasOption: Bool { get }
    var rule: String { get }
}

extension DeclaredSetting {
    var option: String { "--\(name)" }
    var variable: String { "SLUICE_" + name.uppercased().replacing("-", with: "_") }
    /// The setting's name in errors: it may have been given either way.
    var description: String { hasOption ? "\(option) (\(variable))" : variable }
}

/// The settings of a command, in the order of its help.
protocol SettingList {
    static var all: [any DeclaredSetting] { get }
}
