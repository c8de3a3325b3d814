/// The lists of names in the bytes of a discovery request, and what is left without them.
///
/// A sidecar that comes back lists all that it has, and in state of the world every acknowledgement lists all that it wants:
/// thousands of names, which are nine tenths of the message. To make strings and a dictionary of them, only to find that they
/// are the same as the last client's, was three quarters of what a storm of reconnections cost. So they are looked up
/// where they lie, and the rest, with all that varies, is left to the protobuf library.
///
/// This knows as much of the format ("Encoding", protobuf.dev) as it takes to find the lists. Whatever is not the
/// usual form of it, right or wrong, is none of its business: then there is no result, and the library reads all of it.
struct RequestLists {
    /// `resource_names` or `resource_names_subscribe`: 3 in both messages.
    private(set) var names: [Range<Int>] = []
    /// `resource_names_unsubscribe`: 4, delta.
    private(set) var unsubscribed: [Range<Int>] = []
    /// `initial_resource_versions`: 5, delta.
    private(set) var versions: [VersionList.Place] = []
    /// The other fields: a message of the same type.
    private(set) var rest: [UInt8] = []

    /// Messages below this are read by the library at once.
    static let minimum = 1_024

    init?(_ message: [UInt8], _ variant: Variant) {
        var reader = FieldReader(message, 0..<message.count)
        while !reader.isAtEnd {
            let start = reader.position
            guard let (number, payload) = reader.next() else { return nil }
            switch (number, variant) {
            case (3, _), (4, .delta), (5, .delta):
                guard let payload, take(number, payload, of: message) else { return nil }
            default: rest += message[start..<reader.position]
            }
        }
    }

    private mutating func take(_ number: UInt64, _ payload: Range<Int>, of message: [UInt8]) -> Bool {
        guard message[payload].allSatisfy({ $0 < 0x80 }) else { return false }
        switch number {
        case 3: names.append(payload)
        case 4: unsubscribed.append(payload)
        default:
            var entry = FieldReader(message, payload)
            guard let name = entry.next(), name.number == 1, let nameBytes = name.payload,
                let version = entry.next(), version.number == 2, let versionBytes = version.payload, entry.isAtEnd
            else { return false }
            versions.append((nameBytes, versionBytes))
        }
        return true
    }
}

/// Walks over the fields of a message, or of one inside it.
private struct FieldReader {
    private let message: [UInt8]
    private let end: Int
    private(set) var position: Int

    init(_ message: [UInt8], _ range: Range<Int>) {
        self.message = message
        (position, end) = (range.lowerBound, range.upperBound)
    }

    var isAtEnd: Bool { position == end }

    /// - Returns: the number of the field and, if it has a length, where its payload is; `nil` if there is no field.
    mutating func next() -> (number: UInt64, payload: Range<Int>?)? {
        guard let tag = varint(), tag >> 3 > 0 else { return nil }
        switch tag & 7 {
        case 0: return varint() == nil ? nil : (tag >> 3, nil)
        case 1: return skip(8) == nil ? nil : (tag >> 3, nil)
        case 2:
            guard let length = varint().flatMap(Int.init(exactly:)), let payload = skip(length) else { return nil }
            return (tag >> 3, payload)
        case 5: return skip(4) == nil ? nil : (tag >> 3, nil)
        // Groups are of another age.
        default: return nil
        }
    }

    private mutating func skip(_ length: Int) -> Range<Int>? {
        guard length <= end - position else { return nil }
        defer { position += length }
        return position..<position + length
    }

    private mutating func varint() -> UInt64? {
        var value: UInt64 = 0
        // Five bytes are more than any length or tag needs; longer forms are the library's.
        for shift in stride(from: UInt64(0), to: 35, by: 7) {
            guard position < end else { return nil }
            let byte = message[position]
            position += 1
            value |= UInt64(byte & 0x7f) << shift
            if byte < 0x80 { return value }
        }
        return nil
    }
}
