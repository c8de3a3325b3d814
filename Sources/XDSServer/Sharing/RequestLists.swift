internal import NIOCore

/// The lists of names in the bytes of a discovery request, and what is left without them.
///
/// A sidecar that comes back lists all that it has, and in state of the world every acknowledgement lists all that it wants:
/// thousands of names, which are nine tenths of the message. To make strings and a dictionary of them, only to find that they
/// are the same as the last client's, was three quarters of what a storm of reconnections cost (of 1000 sidecars 1.58 s of the
/// server's processor; without it 0.95 s). So they are looked up
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
        var reader = WireReader(bytes, 0..<bytes.count)
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
