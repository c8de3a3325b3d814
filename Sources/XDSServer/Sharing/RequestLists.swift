internal import NIOCore

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
    private(set) var names = NameList([])
    /// `resource_names_unsubscribe`: 4, delta.
    private(set) var unsubscribed = NameList([])
    /// `initial_resource_versions`: 5, delta.
    private(set) var versions = VersionList([:])
    /// The other fields: a message of the same type.
    private(set) var rest: [UInt8] = []

    /// Messages below this are read by the library at once.
    static let minimum = 1_024

    init?(_ message: ByteBuffer, _ variant: Variant, _ recent: RecentLists) {
        let bytes = Array(message.readableBytesView)
        var reader = FieldReader(bytes, 0..<bytes.count)
        while !reader.isAtEnd {
            let start = reader.position
            // A list is in one place, and all its fields begin with the same byte.
            switch (bytes[start], variant) {
            case (3 << 3 | 2, _) where names.isEmpty:
                guard let list = recent.names(message, &reader) else { return nil }
                names = list
            case (4 << 3 | 2, .delta) where unsubscribed.isEmpty:
                guard let list = recent.names(message, &reader) else { return nil }
                unsubscribed = list
            case (5 << 3 | 2, .delta) where versions.isEmpty:
                guard let list = recent.versions(message, &reader) else { return nil }
                versions = list
            default:
                guard let number = reader.next()?.number, number != 3, variant != .delta || !(4...5).contains(number)
                else { return nil }
                rest += bytes[start..<reader.position]
            }
        }
    }
}

/// Lists that came lately, by their bytes, so that the next one that is the same is known by comparing those: not even its
/// names are looked for.
///
/// Bound to one event loop, as the streams are that the lists come from.
final class RecentLists {
    private struct Known<List> {
        var bytes: ByteBuffer
        var list: List
    }

    private static let capacity = 16
    /// Bytes of a message whose lists are worth keeping, and not too much to keep.
    private static let sizes = RequestLists.minimum...256 << 10
    private var names: [Known<NameList>] = []
    private var versions: [Known<VersionList>] = []

    /// Reads the list of names that comes next.
    ///
    /// - Parameter message: what `reader` reads.
    /// - Returns: `nil` if it is not of the usual form.
    fileprivate func names(_ message: ByteBuffer, _ reader: inout FieldReader) -> NameList? {
        Self.list(message, &reader, &names, place: { $0 }, make: NameList.init(in:_:))
    }

    /// Reads the entries of a map that come next, as ``names(_:_:)`` does names.
    fileprivate func versions(_ message: ByteBuffer, _ reader: inout FieldReader) -> VersionList? {
        let bytes = reader.message
        func place(_ payload: Range<Int>) -> VersionList.Place? {
            var entry = FieldReader(bytes, payload)
            guard let name = entry.next(), name.number == 1, let nameBytes = name.payload,
                let version = entry.next(), version.number == 2, let versionBytes = version.payload, entry.isAtEnd
            else { return nil }
            return (nameBytes, versionBytes)
        }
        return Self.list(message, &reader, &versions, place: place, make: VersionList.init(in:_:))
    }

    private static func list<List, Place>(
        _ message: ByteBuffer, _ reader: inout FieldReader, _ known: inout [Known<List>],
        place: (Range<Int>) -> Place?, make: ([UInt8], [Place]) -> List
    ) -> List? {
        let bytes = reader.message
        let start = reader.position
        func slice(_ count: Int) -> ByteBuffer? { message.getSlice(at: message.readerIndex + start, length: count) }
        func isEnd(_ position: Int) -> Bool { position == bytes.count || bytes[position] != bytes[start] }
        let same = known.last { known in
            let count = known.bytes.readableBytes
            return slice(count) == known.bytes && isEnd(start + count)
        }
        if let same {
            reader.skip(same.bytes.readableBytes)
            return same.list
        }
        var places: [Place] = []
        repeat {
            guard let payload = reader.next()?.payload, bytes[payload].allSatisfy({ $0 < 0x80 }),
                let place = place(payload)
            else { return nil }
            places.append(place)
        } while !isEnd(reader.position)
        let list = make(bytes, places)
        if sizes.contains(bytes.count), let slice = slice(reader.position - start) {
            if known.count >= capacity { known.removeFirst() }
            known.append(Known(bytes: ByteBuffer(bytes: slice.readableBytesView), list: list))
        }
        return list
    }
}

/// Walks over the fields of a message, or of one inside it.
private struct FieldReader {
    let message: [UInt8]
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

    @discardableResult
    mutating func skip(_ length: Int) -> Range<Int>? {
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
