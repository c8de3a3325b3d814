internal import Documents
internal import MeshCore
internal import MeshModel
internal import MeshStore

/// The decision about what is sent to a channel next, by what waits there.
struct Delivery {
    enum Step: Equatable {
        /// Nothing is left.
        case nothing
        /// The minute's messages have been sent; when the next one begins.
        case wait(until: Timestamp)
        /// Messages that the channel does not want.
        case skip([Int64])
        /// The oldest message.
        case send
        /// Everything that waits, as one message.
        case digest
    }

    /// The minute that counts, and what was sent in it.
    var minuteBegan: Timestamp
    var sent: Int

    static let minute = Duration.seconds(60)

    init(minuteBegan: Timestamp, sent: Int, now: Timestamp) {
        let isOver = now - minuteBegan >= Self.minute
        (self.minuteBegan, self.sent) = isOver ? (now, 0) : (minuteBegan, sent)
    }

    /// - Parameters:
    ///   - messages: the oldest ones.
    ///   - isWanted: whether the channel wants a message.
    func step(_ messages: [OutboxMessage], isWanted: (OutboxMessage) -> Bool) -> Step {
        guard let first = messages.first else { return .nothing }
        let unwanted = messages.prefix { $0.digest == nil && !isWanted($0) }
        if !unwanted.isEmpty { return .skip(unwanted.map(\.sequence)) }
        let limit = Limits.notificationsPerMinute
        guard limit.allows(sent + 1) else { return .wait(until: minuteBegan + Self.minute) }
        // A digest that was begun is sent again as it was.
        if first.digest != nil { return .digest }
        let isLastOfMinute = !limit.allows(sent + 2)
        return isLastOfMinute && messages.count > 1 ? .digest : .send
    }

    /// How long a channel is left alone after so many deliveries that failed: from five seconds to a quarter of an hour.
    static func pause(after attempts: Int) -> Duration {
        min(.seconds(5 << min(max(attempts - 1, 0), 8)), .seconds(900))
    }
}

/// A message as channels are sent it.
struct NotificationText {
    /// The events as they stand in the outbox, oldest first.
    var documents: [JSONValue]
    /// How many there are, of which the first are here.
    var count: Int
    var at: Timestamp

    /// A line for each.
    var text: String {
        var lines = documents.map(Self.line)
        if count > 1 { lines.insert("\(count) events of releases:", at: 0) }
        if count > documents.count { lines.append("and \(count - documents.count) more") }
        return lines.joined(separator: "\n")
    }

    /// The document for those who take JSON.
    var json: JSONValue {
        let isOne = count == 1
        let events: JSONValue = .array(documents)
        return [
            "type": .string(isOne ? "release.event" : "release.digest"), "timestamp": .string(at.text),
            "data": isOne ? documents.first ?? .null : ["count": .integer(Int64(count)), "events": events],
        ]
    }

    /// `[warning] Paused: release shop/reviews-v3 (reviews, v2 to v3), step 4, 5 % to the canary: p99 is too high`.
    private static func line(_ document: JSONValue) -> String {
        func text(_ member: String) -> String { document[member]?.stringValue ?? "?" }
        var line = "[\(text("severity"))] \(text("event")): release \(text("namespace"))/\(text("release"))"
        line += " (\(text("service")), \(text("stable")) to \(text("canary")))"
        if let step = document["step"]?.integerValue { line += ", step \(step)" }
        if let share = document["share"]?.integerValue {
            let rest = share % 100
            let fraction = rest == 0 ? "" : rest < 10 ? ".0\(rest)" : ".\(rest)"
            line += ", \(share / 100)\(fraction) % to the canary"
        }
        if let message = document["message"]?.stringValue { line += ": " + shortened(message) }
        return line
    }

    /// Chats take some ten thousand bytes.
    private static func shortened(_ text: String) -> String {
        guard text.utf8.count > 250 else { return text }
        var (result, length) = ("", 0)
        for scalar in text.unicodeScalars {
            length += scalar.utf8.count
            if length > 250 { break }
            result.unicodeScalars.append(scalar)
        }
        return result + "…"
    }
}
