internal import HashTreeCollections
internal import NIOCore
internal import Synchronization

/// All resources of one type that a view has. Immutable and shared: by all streams of a view, and in part by many views.
///
/// A set may lie on top of another one: what all proxies of a mesh have in common is one set, and the few resources that
/// belong to a single workload lie above it, so a thousand workloads do not mean a thousand copies.
package final class ResourceSet: Sendable {
    /// Counted over the process; tells sets apart without keeping them alive.
    let id: UInt64
    /// A tree, most of which a set derived from this one shares: so a change costs what it changes, however large the set is.
    private let own: TreeDictionary<String, EncodedResource>
    private let base: ResourceSet?
    /// Resources of all layers.
    let count: Int
    /// Of name and content of all resources, whatever the order: equal on all replicas.
    private let digest: (UInt64, UInt64)
    /// What a state-of-the-world response calls its version: ``digest``, which all streams share as one string.
    package let version: String
    /// Names of those that last only for a while (``EncodedResource/ttl``), sorted, and the shortest of their times.
    let lasting: (names: [String], shortest: Duration?)
    /// The sets that this one was derived from one after the other, each with the names that may have changed from it to the
    /// next.
    private let ancestors: [(id: UInt64, changed: Set<String>)]
    /// What was found out of earlier sets by comparing or adding up, by their ``id``: many streams ask the same.
    private let compared = Mutex<[UInt64: Set<String>]>([:])
    /// The field `resources` with everything in the top layer.
    private let bodies: Mutex<SharedForms>
    private let coverage = Mutex<[NameSet.Fingerprint: Bool]>([:])

    private static let counter = Atomic<UInt64>(0)
    private static let maxCoverage = 16
    private static let maxAncestors = 8
    private static let maxAncestorNames = 8192
    private static let maxCompared = 8

    package static let empty = ResourceSet([])

    /// A set of these resources; of two with one name the last counts.
    ///
    /// - Parameter base: what lies below. A resource here hides the one of the same name there.
    package convenience init(_ resources: [EncodedResource], over base: ResourceSet? = nil) {
        let own = TreeDictionary(resources.lazy.map { ($0.name, $0) }) { _, last in last }
        var summary = base.map(Summary.init) ?? Summary()
        for resource in own.values { summary.replace(base?[resource.name], with: resource) }
        self.init(own: own, base: base, ancestors: [], summary, SharedForms())
    }

    private init(
        own: TreeDictionary<String, EncodedResource>, base: ResourceSet?,
        ancestors: [(id: UInt64, changed: Set<String>)], _ summary: Summary, _ bodies: consuming SharedForms
    ) {
        self.own = own
        self.base = base
        self.ancestors = ancestors
        self.bodies = Mutex(bodies)
        id = Self.counter.wrappingAdd(1, ordering: .relaxed).newValue
        count = summary.count
        digest = summary.digest
        version = Self.hexadecimal(digest.0) + Self.hexadecimal(digest.1)
        let times = summary.lasting.compactMap { (own[$0] ?? base?[$0])?.ttl }
        lasting = (summary.lasting.sorted(), times.min())
    }

    /// - Returns: sixteen digits.
    private static func hexadecimal(_ number: UInt64) -> String {
        let digits = String(number, radix: 16)
        return String(repeating: "0", count: 16 - digits.utf8.count) + digits
    }

    /// What is said of all resources together, which a change costs what it changes.
    private struct Summary {
        var count = 0
        var digest: (UInt64, UInt64) = (0, 0)
        var lasting: Set<String> = []

        init() {}

        init(_ set: ResourceSet) {
            count = set.count
            digest = set.digest
            lasting = Set(set.lasting.names)
        }

        /// - Parameters:
        ///   - old: what was visible under a name.
        ///   - new: what is.
        mutating func replace(_ old: EncodedResource?, with new: EncodedResource?) {
            // A sum does not depend on the order. Nobody gains from a collision.
            if let old {
                count -= 1
                digest = (digest.0 &- old.digest.0, digest.1 &- old.digest.1)
                if old.ttl != nil { lasting.remove(old.name) }
            }
            if let new {
                count += 1
                digest = (digest.0 &+ new.digest.0, digest.1 &+ new.digest.1)
                if new.ttl != nil { lasting.insert(new.name) }
            }
        }
    }

    /// This set with some resources set and others removed, in its top layer. Remembers what it came from, so that
    /// ``changes(since:)`` costs what changed and not what there is.
    package func updating(set changed: [EncodedResource], removing removed: some Collection<String>) -> ResourceSet {
        var own = self.own
        for resource in changed { own[resource.name] = resource }
        for name in removed { own[name] = nil }
        let names = Set(changed.map(\.name)).union(removed)
        var summary = Summary(self)
        for name in names { summary.replace(self[name], with: own[name] ?? base?[name]) }
        var lineage = (ancestors + [(id: id, changed: names)]).suffix(Self.maxAncestors)
        while lineage.reduce(0, { $0 + $1.changed.count }) > Self.maxAncestorNames { lineage.removeFirst() }
        let bodies = SharedForms(after: bodies.withLock { $0 })
        return ResourceSet(own: own, base: base, ancestors: Array(lineage), summary, bodies)
    }

    package func hasSameContent(as other: ResourceSet) -> Bool { self === other || digest == other.digest }

    package subscript(name: String) -> EncodedResource? { own[name] ?? base?[name] }

    package var isEmpty: Bool { own.isEmpty && base?.isEmpty ?? true }

    /// All resources, sorted by name.
    package var resources: [EncodedResource] {
        guard let base else { return own.values.sorted { $0.name < $1.name } }
        return (base.resources.filter { own[$0.name] == nil } + own.values).sorted { $0.name < $1.name }
    }

    package var names: Set<String> { Set(names { _ in true }) }

    /// The names of the resources that are wanted, each once.
    func names(where isWanted: (EncodedResource) -> Bool) -> [String] {
        let above = own.values.lazy.filter(isWanted).map(\.name)
        guard let base else { return Array(above) }
        return above + base.names { own[$0.name] == nil && isWanted($0) }
    }

    /// Without what is not among `names`.
    func only(_ names: Set<String>) -> ResourceSet { ResourceSet(names.compactMap { self[$0] }) }

    /// Whether all resources of the set are among `names`. A thousand sidecars ask the same, so the answer is kept.
    func isCovered(by names: NameSet) -> Bool {
        guard count <= names.count else { return false }
        if let known = coverage.withLock({ $0[names.fingerprint] }) { return known }
        let isCovered = own.keys.allSatisfy(names.contains) && base?.isCovered(by: names) ?? true
        coverage.withLock {
            if $0.count >= Self.maxCoverage { $0 = [:] }
            $0[names.fingerprint] = isCovered
        }
        return isCovered
    }

    /// Names whose resources may differ between `old` and this set: all that do, and perhaps a few that do not.
    package func changes(since old: ResourceSet) -> Set<String> {
        if self === old { return [] }
        // The usual case: `old` is the one before.
        if let last = ancestors.last, last.id == old.id { return last.changed }
        if let base, let oldBase = old.base {
            let below = base.changes(since: oldBase)
            let above = changesAbove(old)
            return above.isEmpty ? below : below.union(above)
        }
        return compared.withLock { compared in
            if let known = compared[old.id] { return known }
            let changes = compare(with: old)
            if compared.count >= Self.maxCompared { compared = [:] }
            compared[old.id] = changes
            return changes
        }
    }

    /// Names whose resources differ in the top layers, or are in one of them only.
    private func changesAbove(_ old: ResourceSet) -> [String] {
        own.lazy.filter { old.own[$0.key]?.version != $0.value.version }.map(\.key)
            + old.own.keys.lazy.filter { self.own[$0] == nil }
    }

    /// Two sets that differ as `old` and this one do, whatever else is in them: those below, as long as the ones above are the
    /// same and hide nothing. So the proxies of different workloads are told by one answer what changed in their mesh.
    ///
    /// - Parameter isNamed: whether it matters to the client if there is such a resource at all. Then what lies above does, too.
    func difference(
        from old: ResourceSet, unless isNamed: (String) -> Bool
    ) -> (old: ResourceSet, new: ResourceSet) {
        guard let base, let oldBase = old.base, changesAbove(old).isEmpty,
            own.keys.allSatisfy({ base[$0] == nil && oldBase[$0] == nil && !isNamed($0) })
        else { return (old, self) }
        return base.difference(from: oldBase, unless: isNamed)
    }

    /// What is to be told to a client that comes back, if it has what lies above as it is: a set below, as long as nothing there
    /// is hidden, and what else the client has. If it does not, the fingerprint is one that no client has.
    ///
    /// - Parameters:
    ///   - has: of names and versions that the client says it has.
    ///   - isNamed: as for ``difference(from:unless:)``.
    func rest(
        of has: NameSet.Fingerprint, unless isNamed: (String) -> Bool
    ) -> (set: ResourceSet, has: NameSet.Fingerprint) {
        guard let base, own.keys.allSatisfy({ base[$0] == nil && !isNamed($0) }) else { return (self, has) }
        var left = has
        for resource in own.values { left.remove(resource.name, resource.version) }
        return base.rest(of: left, unless: isNamed)
    }

    private func compare(with old: ResourceSet) -> Set<String> {
        guard let index = ancestors.lastIndex(where: { $0.id == old.id }) else {
            return names.union(old.names).filter { self[$0]?.version != old[$0]?.version }
        }
        return ancestors[index...].reduce(into: []) { $0.formUnion($1.changed) }
    }

    /// The field `resources` of a response with everything in the set; assembled once for all streams.
    func body(_ form: ResponseForm) -> [SharedBytes] {
        // Layers that hide nothing are appended; so the big one below is shared by all sets above it.
        if let base, !own.keys.contains(where: { base[$0] != nil }) { return base.body(form) + [layer(form)] }
        return [layer(form)]
    }

    private func layer(_ form: ResponseForm) -> SharedBytes {
        // Where nothing has a time to live, clients that know of it get the same bytes as others.
        let form = ResponseForm(form.variant, hasTTL: form.hasTTL && lasting.shortest != nil)
        return bodies.withLock { bodies in
            bodies.bytes(form) {
                var fields = ByteBuffer()
                let hides = base.map { base in own.keys.contains { base[$0] != nil } } ?? false
                for resource in hides ? resources : own.values.sorted(by: { $0.name < $1.name }) {
                    fields.writeImmutableBuffer(resource.field(form).plain)
                }
                return fields
            }
        }
    }
}
