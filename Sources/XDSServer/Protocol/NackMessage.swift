/// The message of a NACK, without what it repeats.
///
/// Where a message breaks a rule of its definition, Envoy first prints all of it and then says what is wrong: `goo.gle/debug…
/// <the message>: Proto constraint validation failed (…)`. Of a large message, only what is at the end would be news.
enum NackMessage {
    static let maxLength = 4_096
    /// Bytes of a message that are read: half of them from its beginning, half from its end. Envoy's have some 4 000.
    static let maxRead = 64 << 10

    /// The part of a message that is looked at: it may be as long as a request.
    static func readable(_ message: String) -> String {
        guard message.utf8.count > maxRead else { return message }
        return [message.utf8.prefix(maxRead / 2), message.utf8.suffix(maxRead / 2)]
            .map { String(decoding: $0, as: UTF8.self) }.joined(separator: " … ")
    }

    static func text(_ message: String) -> String {
        guard let dump = message.firstRange(of: "goo.gle/debug"),
            // The last one: what is printed may have the words in it.
            let verdict = message.ranges(of: "Proto constraint validation failed").last,
            dump.upperBound <= verdict.lowerBound
        else { return String(message.prefix(maxLength)) }
        return String((message[..<dump.lowerBound] + message[verdict.lowerBound...]).prefix(maxLength))
    }
}
