/// Lets streams that want the same names share one copy of them: a thousand sidecars of a mesh ask for the same thousands of
/// endpoints. Bound to one event loop, as its streams are.
final class NameTable {
    private static let minimum = 32
    /// Names of all sets that are kept.
    private static let maxNames = 1_000_000
    private var recent = RecentCache<NameSet.Fingerprint, NameSet>(capacity: 64)
    /// Names of all sets that are kept.
    private(set) var count = 0

    /// The set of `list`, in the storage of an equal one that was seen lately if there is one; then nothing is built.
    func set(of list: NameList) -> NameSet {
        guard list.count >= Self.minimum else { return NameSet(list.strings) }
        return recent[list.fingerprint] ?? shared(NameSet(list.strings))
    }

    /// `set`, in the storage of an equal one that was seen lately if there is one.
    func shared(_ set: NameSet) -> NameSet {
        guard set.count >= Self.minimum else { return set }
        if let known = recent[set.fingerprint] { return known }
        count += set.count
        if let gone = recent.insert(set, for: set.fingerprint) { count -= gone.count }
        while count > Self.maxNames, recent.count > 1, let gone = recent.removeOldest() { count -= gone.count }
        return set
    }

    /// `set` with more names, if an equal one was seen lately.
    func known(_ set: NameSet, adding names: [String]) -> NameSet? {
        var fingerprint = set.fingerprint
        for name in Set(names) where !set.contains(name) { fingerprint.insert(name) }
        return recent[fingerprint]
    }
}
