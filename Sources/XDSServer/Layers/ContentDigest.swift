/// A sum over resources' names and contents: equal for the same resources on all replicas, whatever the order and whatever they lie
/// in. What is added can be taken away again, so that a change costs what it changes. Nobody gains from a collision.
struct ContentDigest: Hashable {
    private var high: UInt64 = 0
    private var low: UInt64 = 0

    init() {}

    /// The digest of one resource: 128 bits of its hash (``EncodedResource/digest``).
    init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }

    static func += (sum: inout Self, other: Self) {
        sum.high &+= other.high
        sum.low &+= other.low
    }

    static func -= (sum: inout Self, other: Self) {
        sum.high &-= other.high
        sum.low &-= other.low
    }

    /// 32 hexadecimal digits.
    var text: String { Self.text(high) + Self.text(low) }

    /// The first 48 bits, base64url (RFC 4648, section 5): a character for six of them.
    var short: String { String(decoding: (1...8).map { Self.base64[Int(high >> (64 - 6 * $0)) & 63] }, as: UTF8.self) }

    private static let base64 = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_".utf8)

    private static func text(_ number: UInt64) -> String {
        let digits = String(number, radix: 16)
        return String(repeating: "0", count: 16 - digits.utf8.count) + digits
    }
}
