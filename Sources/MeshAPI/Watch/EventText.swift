internal import Documents

/// The text of event streams (WHATWG HTML, section 9.2 "Server-sent events").
enum EventText {
    static let mediaType = "text/event-stream"

    /// Tells clients how soon to come back when the stream has ended, in milliseconds.
    static let retry: [UInt8] = Array("retry: 1000\n\n".utf8)

    /// - Parameters:
    ///   - id: what a client has that has come so far; `nil`: it stays as it was.
    ///   - data: printed without line breaks, as JSON always can be.
    static func event(_ name: String, id: Int64?, _ data: JSONValue) -> [UInt8] {
        let id = id.map { "id: \($0)\n" } ?? ""
        return Array("event: \(name)\n\(id)data: ".utf8) + JSONText.print(data) + Array("\n\n".utf8)
    }

    /// A comment, and how far the client is: without data, that is no event, but the client remembers it.
    static func heartbeat(id: Int64) -> [UInt8] { Array(": heartbeat\nid: \(id)\n\n".utf8) }
}
