/// A cache of contents of responses that cost more to find out than to look up. The next client that has and wants the same shares
/// one: when all clusters change, and after a replica is lost, when a thousand sidecars come at once and each lists all that it has.
///
/// Bound to one event loop, as its streams are.
final class ResponseCache {
    /// Everything that the content of a response depends on.
    struct Key: Hashable {
        var variant: Variant
        var type: ResourceType
        var isWildcard: Bool
        var names: NameSet.Fingerprint
        /// Names that are sent again.
        var resend: NameSet.Fingerprint
        /// Names and versions that the client says it has, but for those of layers of its own that are as it says.
        var has: NameSet.Fingerprint
        /// Nothing has been sent yet.
        var isFirst: Bool
        /// ``ResourceSet/id`` of the layers in which what was sent last and what there is now differ
        /// (``LayeredSet/difference(from:and:)``): so clients share what they are told although each has something of its own.
        var old: [UInt64]
        var new: [UInt64]
    }

    struct Entry {
        var resources: [EncodedResource] = []
        var removed: [String] = []
        /// Resources that the client has and is to be told later to remove.
        var pendingRemovals: [String: Debts.PendingRemoval] = [:]
        /// The names of ``resources``.
        var names: NameSet
        /// State of the world: whether something is another than it was.
        var isChange = true
        /// No other client is to share it.
        var isPrivate = false

        init(
            resources: [EncodedResource] = [], removed: [String] = [],
            pendingRemovals: [String: Debts.PendingRemoval] = [:],
            isChange: Bool = true, isPrivate: Bool = false
        ) {
            self.resources = resources
            self.removed = removed
            self.pendingRemovals = pendingRemovals
            self.isChange = isChange
            self.isPrivate = isPrivate
            names = NameSet(resources.map(\.name))
        }
    }

    /// The least number of names for which the cache is asked: fewer are gone through as quickly.
    static let minimum = 16
    /// Few, because they keep resources that may be gone.
    private var entries = RecentCache<Key, Entry>(capacity: 16)

    func entry(_ key: Key, orMake make: () -> Entry) -> Entry {
        if let known = entries[key] { return known }
        let entry = make()
        if !entry.isPrivate { entries.insert(entry, for: key) }
        return entry
    }
}
