/// What a client says when it refuses something, without what it repeats.
///
/// Where a message breaks a rule of its definition, Envoy first prints all of it and then says what is wrong: `goo.gle/debug…
/// <the message>: Proto constraint validation failed (…)`. Of a large message, only what is at the end would be news.
enum Complaint {
    static let maxLength = 4_096

    static func text(_ message: String) -> String {
        guard let dump = message.firstRange(of: "goo.gle/debug"),
            // The last one: what is printed may have the words in it.
            let verdict = message.ranges(of: "Proto constraint validation failed").last,
            dump.upperBound <= verdict.lowerBound
        else { return String(message.prefix(maxLength)) }
        return String((message[..<dump.lowerBound] + message[verdict.lowerBound...]).prefix(maxLength))
    }
}
