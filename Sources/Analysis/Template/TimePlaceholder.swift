package import MeshCore

/// A placeholder that stands until something is measured.
enum TimePlaceholder: String, CaseIterable, Sendable {
    /// The length of what is measured as PromQL writes durations: `30s`.
    case window
    /// Its first and its last instant in seconds since 1970, rounded down.
    case start, end
}

/// The time that a measurement is about.
package struct MeasuredTime: Hashable, Sendable {
    package var from: Timestamp
    package var to: Timestamp

    package init(from: Timestamp, to: Timestamp) {
        self.from = from
        self.to = to
    }

    /// A query with the time in the place of `{{window}}`, `{{start}}` and `{{end}}`; anything else stays as it is.
    ///
    /// - Parameter text: of a resolved template.
    package func fill(_ text: String) -> String {
        guard let template = try? TextTemplate(text) else { return text }
        return template.pieces.map { piece in
            switch piece {
            case .text(let text): text
            case .argument(let name): "{{args.\(name)}}"
            case .time(.window): "\(max(1, seconds(to) - seconds(from)))s"
            case .time(.start): "\(seconds(from))"
            case .time(.end): "\(seconds(to))"
            }
        }.joined()
    }

    private func seconds(_ time: Timestamp) -> Int64 { time.microseconds / 1_000_000 }
}
