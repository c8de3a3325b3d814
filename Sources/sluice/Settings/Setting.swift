/// Something that `sluice` can be told, declared once: what it is called and for, what holds without it, and what may be said.
///
/// Its option, its environment variable, its lines of `--help`, its reading and its errors all follow from the declaration.
struct Setting<Value: Sendable>: DeclaredSetting {
    let name: String
    let help: String
    let absence: String?
    let isSecret: Bool
    let hasOption: Bool
    /// What a value must, as the end of a sentence: `be HOST:PORT`.
    let rule: String
    /// The value of a text, or of none; `nil` if the text breaks the rule.
    let value: @Sendable (String?) -> Value?
}

extension Setting {
    /// A setting that always has a value.
    ///
    /// - Parameter standard: what holds when nobody says anything, as one would say it.
    init(
        _ name: String, _ help: String, default standard: String, must rule: String,
        _ parse: @escaping @Sendable (String) -> Value?
    ) {
        self.init(
            name: name, help: help, absence: standard, isSecret: false, hasOption: true, rule: rule,
            value: { parse($0 ?? standard) })
    }

    /// A setting that may be left unsaid.
    ///
    /// - Parameters:
    ///   - absence: what holds then, if the help does not say it.
    ///   - isSecret: whether neither errors nor logs may repeat what was said.
    ///   - hasOption: whether it can be said on the command line, which others can read.
    init<Said: Sendable>(
        _ name: String, _ help: String, otherwise absence: String? = nil, isSecret: Bool = false,
        hasOption: Bool = true, must rule: String, _ parse: @escaping @Sendable (String) -> Said?
    ) where Value == Said? {
        self.init(
            name: name, help: help, absence: absence, isSecret: isSecret, hasOption: hasOption, rule: rule,
            value: { text in
                guard let text else { return .some(nil) }
                return parse(text).map { .some($0) }
            })
    }
}

/// What a setting is, whatever the type of its value.
protocol DeclaredSetting: Sendable, CustomStringConvertible {
    /// In words with dashes between them: `xds-tls-cert` is `--xds-tls-cert` and `SLUICE_XDS_TLS_CERT`.
    var name: String { get }
    /// What it says, in whole sentences.
    var help: String { get }
    /// What holds when nobody says anything; `nil`: nothing, or the help says it.
    var absence: String? { get }
    var isSecret: Bool { get }
    var hasOption: Bool { get }
    var rule: String { get }
}

extension DeclaredSetting {
    var option: String { "--\(name)" }
    var variable: String { "SLUICE_" + name.uppercased().replacing("-", with: "_") }
    /// What errors call it: whoever said it may have said it either way.
    var description: String { hasOption ? "\(option) (\(variable))" : variable }
}

/// The settings of a command, in the order of its help.
protocol SettingList {
    static var all: [any DeclaredSetting] { get }
}
