internal import SwiftProtobuf

/// A serialized protobuf message that is put together from parts which were encoded before.
///
/// Serialized messages may be concatenated: repeated fields add up
/// (https://protobuf.dev/programming-guides/encoding/#last-one-wins). A route configuration has the routes of all hosts of a mesh, and
/// one of them changes: to encode the others again for each namespace that sees them would take tens of milliseconds for a
/// thousand hosts. No field is ever in two parts that is not repeated.
struct MessageBytes: Hashable, Sendable {
    private(set) var bytes: [UInt8]

    init() { bytes = [] }

    init(_ message: some Message) { bytes = message.encoded }

    /// One message of the parts of it.
    init(_ parts: [MessageBytes]) {
        bytes = []
        bytes.reserveCapacity(parts.reduce(0) { $0 + $1.bytes.count })
        for part in parts { bytes += part.bytes }
    }

    /// A message with a field that holds another message.
    ///
    /// - Parameter number: 1 to 15, so that the tag is one byte.
    init(field number: UInt8, _ message: [MessageBytes]) {
        let count = message.reduce(0) { $0 + $1.bytes.count }
        bytes = []
        bytes.reserveCapacity(count + 8)
        bytes.append(number << 3 | 2)  // a field with a length
        var rest = count
        while rest >= 0x80 {
            bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        bytes.append(UInt8(rest))
        for part in message { bytes += part.bytes }
    }
}
