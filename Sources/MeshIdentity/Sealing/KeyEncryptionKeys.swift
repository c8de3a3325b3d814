internal import Foundation
package import MeshCore

/// The keys that wrap the data keys of all tenants. They are never in the database: who has only a dump of it reads no secret.
package struct KeyEncryptionKeys: Sendable {
    struct Key: Sendable {
        let id: String
        let secret: SecretKey
    }

    /// The reason for which a text is no list of keys. It repeats nothing of the text.
    package struct Mistake: Error, Hashable, Sendable, CustomStringConvertible {
        package let description: String
    }

    /// The one that wraps.
    let first: Key
    private let rest: [Key]

    /// The keys that one may have at a time.
    private static let limit = 100
    package static let rule =
        "must have lines id:base64 of 32 bytes, for example of `echo k1:$(openssl rand -base64 32)`"

    /// Reads lines `id:base64`, of which the first is the key that wraps. Empty lines and those that begin with `#` are left aside.
    package init(_ text: Secret<String>) throws(Mistake) {
        var keys: [Key] = []
        for (index, line) in text.reveal().split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
            let line = line.trimmingCharacters(in: .whitespaces)
            if line.isEmpty || line.hasPrefix("#") { continue }
            let key = try Self.read(line, number: index + 1)
            guard !keys.contains(where: { $0.id == key.id }) else {
                throw Mistake(description: "line \(index + 1) has an id that an earlier line has")
            }
            keys.append(key)
        }
        guard let first = keys.first else { throw Mistake(description: "there is no key in it") }
        guard keys.count <= Self.limit else { throw Mistake(description: "there are more than \(Self.limit) keys") }
        self.first = first
        rest = Array(keys.dropFirst())
    }

    private static func read(_ line: String, number: Int) throws(Mistake) -> Key {
        let parts = line.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2, let id = parts.first, let base64 = parts.last else {
            throw Mistake(description: "line \(number) is not id:base64")
        }
        guard (1...63).contains(id.utf8.count), id.utf8.allSatisfy(isInID) else {
            throw Mistake(
                description: "line \(number) has an id that is not 1 to 63 letters, digits, \"-\", \"_\" and \".\"")
        }
        guard let bytes = Data(base64Encoded: String(base64)) else {
            throw Mistake(description: "line \(number) has no base64 behind its id")
        }
        guard let secret = SecretKey(Array(bytes)) else {
            let length = "it must be \(SecretKey.length)"
            throw Mistake(description: "line \(number) has a key of \(bytes.count) bytes; \(length)")
        }
        return Key(id: String(id), secret: secret)
    }

    private static func isInID(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x39, 0x41...0x5A, 0x61...0x7A: true
        default: "-_.".utf8.contains(byte)
        }
    }

    /// A line with a new key of 256 random bits, as ``init(_:)`` reads it.
    package static func newLine() -> Secret<String> {
        let id = "k" + String(UInt32.random(in: .min ... .max), radix: 36)
        return Secret("\(id):\(Data(SecretKey().bytes).base64EncodedString())\n")
    }

    /// The id of the key that wraps.
    package var current: String { first.id }
    package var ids: [String] { [first.id] + rest.map(\.id) }

    func key(_ id: String) -> Key? { first.id == id ? first : rest.first { $0.id == id } }
}
