internal import GRPCServer
internal import NIOCore
internal import Synchronization

/// Bytes that are a part of many messages, plain and compressed.
final class SharedBytes: Sendable {
    /// The least size of bytes that are compressed: fewer fit into few packets as they are.
    static let compressesFrom = 2_048

    let plain: ByteBuffer
    private let compression: Mutex<Compression>

    private enum Compression {
        case part(GzipPart)
        /// Until there is one: that of an earlier form, if there was one.
        case due(earlier: GzipPart?)
    }

    /// - Parameter earlier: an earlier form of the same: what did not change is not compressed again.
    init(_ plain: ByteBuffer, after earlier: SharedBytes? = nil) {
        self.plain = plain
        let isCompressed = plain.readableBytes >= Self.compressesFrom
        compression = Mutex(.due(earlier: isCompressed ? earlier?.latest : nil))
    }

    /// Made when the first client that wants it needs it; whoever else wants it meanwhile waits instead of doing it again.
    var gzip: GzipPart {
        compression.withLock { compression in
            switch compression {
            case .part(let part): return part
            case .due(let earlier):
                let part =
                    plain.readableBytes < Self.compressesFrom
                    ? GzipPart(storing: plain) : GzipPart(compressing: plain, reusing: earlier)
                compression = .part(part)
                return part
            }
        }
    }

    private var latest: GzipPart? {
        compression.withLock { compression in
            switch compression {
            case .part(let part): part
            case .due(let earlier): earlier
            }
        }
    }
}

/// A piece of a response in the forms that clients want, each made when the first of them needs it.
struct SharedForms {
    private var made: [(form: ResponseForm, bytes: SharedBytes)] = []
    /// The forms of the piece's earlier content that were made, as long as they were not needed here for reuse.
    private var earlier: [(form: ResponseForm, bytes: SharedBytes)] = []

    init() {}

    init(after earlier: SharedForms) {
        self.earlier = earlier.made + earlier.earlier.filter { old in !earlier.made.contains { $0.form == old.form } }
    }

    mutating func bytes(_ form: ResponseForm, make: () -> ByteBuffer) -> SharedBytes {
        if let known = made.first(where: { $0.form == form }) { return known.bytes }
        let before = earlier.firstIndex { $0.form == form }.map { earlier.remove(at: $0).bytes }
        let bytes = SharedBytes(make(), after: before)
        made.append((form, bytes))
        return bytes
    }
}

/// Keeps what several streams were sent lately, so that the next one, which mostly needs the same, shares it.
///
/// Only for responses with many resources; those with one share the resource's own bytes, those with everything the set's.
final class RecentBodies: Sendable {
    private struct Key: Hashable {
        var form: ResponseForm
        var resources: [ObjectIdentifier]
    }

    private struct Body {
        /// Kept, so that no other resource can get the identity of one of them.
        var resources: [EncodedResource]
        var bytes: SharedBytes
    }

    private let bodies = Mutex(RecentCache<Key, Body>(capacity: 16))

    /// The resources' fields in one piece.
    func body(_ resources: [EncodedResource], _ form: ResponseForm) -> SharedBytes {
        let key = Key(form: form, resources: resources.map(ObjectIdentifier.init))
        return bodies.withLock { bodies in
            bodies.value(key) {
                var bytes = ByteBuffer()
                bytes.reserveCapacity(resources.reduce(0) { $0 + $1.field(form).plain.readableBytes })
                for resource in resources { bytes.writeImmutableBuffer(resource.field(form).plain) }
                return Body(resources: resources, bytes: SharedBytes(bytes))
            }
        }.bytes
    }
}
