internal import NIOCore

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
    func names(_ message: ByteBuffer, _ reader: inout WireReader) -> NameList? {
        Self.list(message, &reader, &names, place: { $0 }, make: NameList.init(in:_:))
    }

    /// Reads the entries of a map that come next, as ``names(_:_:)`` does names.
    func versions(_ message: ByteBuffer, _ reader: inout WireReader) -> VersionList? {
        let bytes = reader.message
        func place(_ payload: Range<Int>) -> VersionList.Place? {
            var entry = WireReader(bytes, payload)
            guard let name = entry.next(), name.number == 1, let nameBytes = name.payload,
                let version = entry.next(), version.number == 2, let versionBytes = version.payload, entry.isAtEnd
            else { return nil }
            return (nameBytes, versionBytes)
        }
        return Self.list(message, &reader, &versions, place: place, make: VersionList.init(in:_:))
    }

    private static func list<List, Place>(
        _ message: ByteBuffer, _ reader: inout WireReader, _ known: inout [Known<List>],
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
