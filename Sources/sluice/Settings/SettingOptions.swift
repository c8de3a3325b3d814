internal import ArgumentParser

/// The options of a command: one for each setting of a list that has one.
///
/// The command line is ArgumentParser's, which knows subcommands, refuses what it does not know and writes the help; the
/// command line provider of swift-configuration does none of that, and two parsers of one line could disagree. ArgumentParser
/// finds options by reflection on a new value of the type and decodes what was given by the same names, so both are answered
/// from the list. It does not promise that; `Package.swift` says so, and the tests of the settings would fail.
struct SettingOptions<List: SettingList>: ParsableArguments, CustomReflectable {
    private struct Name: CodingKey {
        let stringValue: String
        var intValue: Int? { nil }
        init(stringValue: String) { self.stringValue = stringValue }
        init?(intValue: Int) { nil }
    }

    private static var settings: [any DeclaredSetting] { List.all.filter(\.hasOption) }

    /// The settings that the command line gives.
    private(set) var given: [GivenSetting] = []

    init() {}

    init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: Name.self)
        for setting in Self.settings {
            let option = try container.decode(Option<String?>.self, forKey: Name(stringValue: setting.name))
            if let text = option.wrappedValue { given.append(GivenSetting(setting: setting, text: text)) }
        }
    }

    var customMirror: Mirror {
        Mirror(self, children: Self.settings.map { (label: $0.name, value: Option<String?>(of: $0)) })
    }
}

/// A setting and the text that somebody gave for it.
struct GivenSetting: Sendable {
    var setting: any DeclaredSetting
    var text: String
}

extension Option<String?> {
    fileprivate init(of setting: any DeclaredSetting) {
        let ending = setting.defaultText.map { " (default: \($0))" } ?? ""
        self.init(
            wrappedValue: nil, name: .customLong(setting.name),
            help: ArgumentHelp("\(setting.help) [\(setting.variable)]\(ending)"))
    }
}
