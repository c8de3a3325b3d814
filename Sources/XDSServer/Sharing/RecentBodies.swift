internal import NIOCore
internal import Synchronization

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
