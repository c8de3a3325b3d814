internal import HashTreeCollections
internal import NIOCore
internal import Synchronization

/// The resources of one type in one layer (``Layer``). Immutable, and shared by all clients that have the layer. It knows the sets
/// that it was derived from, so that what changed is known and not found out.
package final class ResourceSet: Sendable {
    /// Counted over the process; tells sets apart without keeping them alive.
    let id: UInt64
    /// A tree, most of which a set derived from this one shares: so a change costs what it changes, however large the set is.
    private let content: TreeDictionary<String, EncodedResource>
    let digest: ContentDigest
    /// ``digest`` as text, which all streams share as one string.
    let version: String
    /// Names of those that last only for a while (``EncodedResource/ttl``), sorted, and the shortest of their times.
    let expiring: (names: [String], shortestTTL: Duration?)
    /// The sets that this one was derived from one after the other, each with the names that may have changed from it to the
    /// next.
    private let ancestors: [(id: UInt64, changed: Set<String>)]
    /// The names that differ from other sets, by their ``id``, as far as somebody asked: many streams ask the same.
    private let compared = Mutex(RecentCache<UInt64, Set<String>>(capacity: 8))
    /// The field `resources` of a response with everything in the set.
    private let bodies: Mutex<SharedForms>
    private let coverage = Mutex(RecentCache<NameSet.Fingerprint, Bool>(capacity: 16))
    /// Names that are in other sets, too, by their ``id``.
    private let overlaps = Mutex(RecentCache<UInt64, Set<String>>(capacity: 8))
    private let offer = Mutex<NameSet.Fingerprint?>(nil)

    private static let counter = Atomic<UInt64>(0)
    private static let maxAncestors = 8
    private static let maxAncestorNames = 8192

    package static let empty = ResourceSet([])

    /// A set of these resources; of two with one name the last counts.
    package convenience init(_ resources: [EncodedResource]) {
        let content = TreeDictionary(resources.lazy.map { ($0.name, $0) }) { _, last in last }
        var summary = Summary()
        for resource in content.values { summary.replace(nil, with: resource) }
        self.init(content, ancestors: [], summary, SharedForms())
    }

    private init(
        _ content: TreeDictionary<String, EncodedResource>, ancestors: [(id: UInt64, changed: Set<String>)],
        _ summary: Summary, _ bodies: consuming SharedForms
    ) {
        self.content = content
        self.ancestors = ancestors
        self.bodies = Mutex(bodies)
        id = Self.counter.wrappingAdd(1, ordering: .relaxed).newValue
        digest = summary.digest
        version = digest.text
        expiring = (summary.expiring.sorted(), summary.expiring.compactMap { content[$0]?.ttl }.min())
    }

    /// The properties of all resources together. To change them costs as much as changes.
    private struct Summary {
        var digest = ContentDigest()
        var expiring: Set<String> = []

        mutating func replace(_ old: EncodedResource?, with new: EncodedResource?) {
            if let old {
                digest -= old.digest
                if old.ttl != nil { expiring.remove(old.name) }
            }
            if let new {
                digest += new.digest
                if new.ttl != nil { expiring.insert(new.name) }
            }
        }
    }

    /// This set with some resources set and others removed. Remembers what it came from, so that ``changedNames(since:)`` costs what
    /// changed and not what there is.
    package func updating(set changed: [EncodedResource], removing removed: some Collection<String>) -> ResourceSet {
        var content = self.content
        for resource in changed { content[resource.name] = resource }
        for name in removed { content[name] = nil }
        let names = Set(changed.map(\.name)).union(removed)
        var summary = Summary(digest: digest, expiring: Set(expiring.names))
        for name in names { summary.replace(self[name], with: content[name]) }
        var lineage = (ancestors + [(id: id, changed: names)]).suffix(Self.maxAncestors)
        while lineage.reduce(0, { $0 + $1.changed.count }) > Self.maxAncestorNames { lineage.removeFirst() }
        let bodies = SharedForms(after: bodies.withLock { $0 })
        return ResourceSet(content, ancestors: Array(lineage), summary, bodies)
    }

    package subscript(name: String) -> EncodedResource? { content[name] }

    package var count: Int { content.count }
    package var isEmpty: Bool { content.isEmpty }

    /// All resources, sorted by name.
    package var resources: [EncodedResource] { content.values.sorted { $0.name < $1.name } }

    package var names: some Collection<String> { content.keys }

    /// The names of the resources that are wanted.
    func names(where isWanted: (EncodedResource) -> Bool) -> [String] {
        content.values.lazy.filter(isWanted).map(\.name)
    }

    /// Whether all resources of the set are among `names`. A thousand sidecars ask the same, so the answer is kept.
    func isCovered(by names: NameSet) -> Bool {
        guard count <= names.count else { return false }
        return coverage.withLock { $0.value(names.fingerprint) { content.keys.allSatisfy(names.contains) } }
    }

    /// The fingerprint of the versions that a client lists which has just this (``VersionList/fingerprint``). Made when it is asked
    /// for.
    var fingerprint: NameSet.Fingerprint {
        offer.withLock { offer in
            if let offer { return offer }
            var fingerprint = NameSet.Fingerprint()
            for resource in content.values { fingerprint.insert(resource.name.utf8, resource.version.utf8) }
            offer = fingerprint
            return fingerprint
        }
    }

    /// Names whose resources may differ between `old` and this set: all that do, and perhaps a few that do not. `old` may be any
    /// set, also of another layer.
    package func changedNames(since old: ResourceSet) -> Set<String> {
        if self === old { return [] }
        // The usual case: `old` is the one before.
        if let last = ancestors.last, last.id == old.id { return last.changed }
        return compared.withLock { $0.value(old.id) { compare(with: old) } }
    }

    /// The names that are in another set, too. Of two large sets it is found out once.
    func overlap(with other: ResourceSet) -> Set<String> {
        let (small, large) = count < other.count ? (self, other) : (other, self)
        if small.count < ResponseCache.minimum { return small.names(in: large) }
        return small.overlaps.withLock { $0.value(large.id) { small.names(in: large) } }
    }

    private func names(in other: ResourceSet) -> Set<String> { Set(names.lazy.filter { other[$0] != nil }) }

    /// Whether this set was derived from `old`, as far as it remembers.
    func isDerived(from old: ResourceSet) -> Bool { ancestors.contains { $0.id == old.id } }

    private func compare(with old: ResourceSet) -> Set<String> {
        if let index = ancestors.lastIndex(where: { $0.id == old.id }) {
            return ancestors[index...].reduce(into: []) { $0.formUnion($1.changed) }
        }
        var changes = Set(content.values.lazy.filter { old[$0.name]?.version != $0.version }.map(\.name))
        for name in old.content.keys where content[name] == nil { changes.insert(name) }
        return changes
    }

    /// The field `resources` of a response with everything in the set; assembled once for all streams.
    func body(_ form: ResponseForm) -> SharedBytes {
        // Where nothing has a time to live, clients that know of it get the same bytes as others.
        let form = ResponseForm(form.variant, hasTTL: form.hasTTL && expiring.shortestTTL != nil)
        return bodies.withLock { bodies in
            bodies.bytes(form) {
                var fields = ByteBuffer()
                for resource in resources { fields.writeImmutableBuffer(resource.field(form).plain) }
                return fields
            }
        }
    }
}
