internal import Documents
internal import Foundation
internal import Logging

/// Log lines as JSON, one object a line, on standard error: what log collectors read without being taught.
///
/// `time` (RFC 3339, UTC), `level`, `logger`, `message`; metadata as further members. A line is bounded, whatever it is about:
/// texts are cut (``textLimit``), and what is still too long (``lineLimit``) loses its metadata.
struct JSONLogHandler: LogHandler {
    /// Bytes of one text, in UTF-8.
    static let textLimit = 4 << 10
    /// Bytes of a line.
    static let lineLimit = 32 << 10

    let label: String
    var logLevel: Logger.Level
    var metadata: Logger.Metadata = [:]
    var writer = LogWriter.standardError

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        var members: [String: JSONValue] = [:]
        let added = event.metadata ?? [:]
        for (key, value) in metadata.merging(added, uniquingKeysWith: { _, new in new }) {
            members[key] = Self.json(value)
        }
        members["level"] = .string(event.level.rawValue)
        members["logger"] = .string(label)
        members["message"] = .string(Self.cut("\(event.message)"))
        var line = Self.line(members)
        if line.count > Self.lineLimit {
            members = members.filter { ["level", "logger", "message"].contains($0.key) }
            members["cut"] = .integer(Int64(line.count))
            line = Self.line(members)
        }
        writer.write(line)
    }

    /// A line of the log, with the time; empty if there is none.
    static func line(_ members: [String: JSONValue]) -> [UInt8] {
        var members = members
        members["time"] = .string(Date.now.formatted(Date.ISO8601FormatStyle(includingFractionalSeconds: true)))
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        guard let line = try? encoder.encode(JSONValue.object(members)) else { return [] }
        return Array(line) + [0x0A]
    }

    static func cut(_ text: String) -> String {
        guard text.utf8.count > textLimit else { return text }
        return String(decoding: text.utf8.prefix(textLimit), as: UTF8.self) + "…"
    }

    private static func json(_ value: Logger.MetadataValue) -> JSONValue {
        switch value {
        case .string(let text): .string(cut(text))
        case .stringConvertible(let value): .string(cut(value.description))
        case .array(let values): .array(values.map(json))
        case .dictionary(let members): .object(members.mapValues(json))
        }
    }
}
