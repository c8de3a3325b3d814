package import Documents

/// Requests of some kinds of clients, by what their `user-agent` says: a short form of a condition on that header, which is what is
/// stored and shown.
///
/// Best effort: anybody may send any text, and browsers on tablets may call themselves those of desktops. The forms are those of
/// current browsers (MDN, "Browser detection using the user agent"): the system stands in the first parentheses, and a browser that
/// is made of another one's engine has its own name behind the other's.
package struct ClientMatch: Document {
    package enum System: String, CaseIterable, Sendable {
        case android, ios, windows, macos, linux
    }

    package enum Browser: String, CaseIterable, Sendable {
        case chrome, edge, safari, firefox, wechat
    }

    /// Any of these; empty: any at all.
    package var systems: [System] = []
    /// Any of these; empty: any at all.
    package var browsers: [Browser] = []

    package init() {}

    package static let schemaName: String? = "ClientMatch"
    package static let fields: [Field<Self>] = [
        .defaulted("os", \.systems, .list(of: .choice, 0...5, .ofElements("is given twice")), "Any of these systems."),
        .defaulted(
            "browser", \.browsers, .list(of: .choice, 0...5, .ofElements("is given twice")), "Any of these browsers."),
    ]
    package static let summary: String? = """
        A short form of a condition on user-agent, which is stored in its place. Best effort: clients may say what they like.
        """

    package func finish(_ reading: Members) {
        guard systems.isEmpty, browsers.isEmpty, !reading.isWrong else { return }
        reading.log.report(reading.pointer, .required, "must have at least one os or browser")
    }

    /// The condition on `user-agent`, in RE2's syntax, for the whole text.
    package var regex: String {
        let system = systems.isEmpty ? "" : "[^(]*(\(systems.map(\.pattern).joined(separator: "|")))"
        let browser = browsers.isEmpty ? "" : "(\(browsers.map(\.pattern).joined(separator: "|")))"
        return "\(system).*\(browser)"
    }
}

extension ClientMatch.System {
    /// The first parentheses.
    fileprivate var pattern: String {
        switch self {
        case .android: #"\([^)]*Android[^)]*\)"#
        case .ios: #"\((iPhone|iPad|iPod)[^)]*\)"#
        case .windows: #"\(Windows[^)]*\)"#
        case .macos: #"\(Macintosh[^)]*\)"#
        case .linux: #"\(X11;[^)]*Linux[^)]*\)"#
        }
    }
}

extension ClientMatch.Browser {
    /// The text from the browser's name to the end of the text.
    fileprivate var pattern: String {
        switch self {
        // Others that are made of it have a name of their own behind Safari's.
        case .chrome: #"Chrome/[0-9.]+( Mobile)? Safari/[0-9.]+|CriOS/.*"#
        case .edge: #"Edg(e|A|iOS)?/.*"#
        case .safari: #"Version/[0-9.]+( Mobile/[0-9A-Z]+)? Safari/[0-9.]+"#
        case .firefox: #"(Firefox|FxiOS)/.*"#
        case .wechat: #"MicroMessenger/.*"#
        }
    }
}
