/// A text with placeholders: `{{args.name}}` for an argument, `{{window}}`, `{{start}}` and `{{end}}` for the time that is measured.
/// Blanks inside the braces count for nothing.
struct TextTemplate: Hashable, Sendable {
    enum Piece: Hashable, Sendable {
        case text(String)
        case argument(String)
        case time(TimePlaceholder)
    }

    let pieces: [Piece]

    /// - Throws: for braces that are not closed and for other placeholders.
    init(_ text: String) throws(Problem) {
        var pieces: [Piece] = []
        var rest = text.utf8[...]
        while let open = rest.firstPair(of: UInt8(ascii: "{")) {
            if open > rest.startIndex { pieces.append(.text(String(Substring(rest[..<open])))) }
            rest = rest[open...].dropFirst(2)
            guard let close = rest.firstPair(of: UInt8(ascii: "}")) else {
                throw Problem(text: "\"{{\" is not closed by \"}}\"")
            }
            pieces.append(try Self.placeholder(String(Substring(rest[..<close]))))
            rest = rest[close...].dropFirst(2)
        }
        if !rest.isEmpty { pieces.append(.text(String(Substring(rest)))) }
        self.pieces = pieces
    }

    struct Problem: Error, Hashable {
        /// A clause.
        var text: String
    }

    private static func placeholder(_ text: String) throws(Problem) -> Piece {
        let name = text.utf8.drop { $0 == 0x20 }
        let end = name.lastIndex { $0 != 0x20 }.map { name.index(after: $0) } ?? name.startIndex
        let word = String(Substring(name[..<end]))
        if let time = TimePlaceholder(rawValue: word) { return .time(time) }
        let prefix = "args."
        guard word.hasPrefix(prefix), AnalysisArgument.isName(String(word.dropFirst(prefix.count))) else {
            throw Problem(text: "there is no {{\(word)}}; there are {{args.name}}, {{window}}, {{start}} and {{end}}")
        }
        return .argument(String(word.dropFirst(prefix.count)))
    }

    /// The arguments that it names.
    var arguments: Set<String> {
        Set(pieces.compactMap { if case .argument(let name) = $0 { name } else { nil } })
    }

    /// Whether it depends on the time that is measured.
    var hasTime: Bool {
        pieces.contains { if case .time = $0 { true } else { false } }
    }

    /// The text with arguments in their places; those of times stay.
    ///
    /// - Parameter insert: an argument's text; `nil` where there is none, which leaves the placeholder.
    func resolved(_ insert: (String) -> String?) -> String {
        pieces.map { piece in
            switch piece {
            case .text(let text): text
            case .argument(let name): insert(name) ?? "{{args.\(name)}}"
            case .time(let time): "{{\(time.rawValue)}}"
            }
        }.joined()
    }
}

extension Substring.UTF8View {
    /// The place at which a byte stands twice in a row.
    fileprivate func firstPair(of byte: UInt8) -> Index? {
        var start = startIndex
        while let place = self[start...].firstIndex(of: byte) {
            let next = index(after: place)
            guard next < endIndex else { return nil }
            if self[next] == byte { return place }
            start = next
        }
        return nil
    }
}
