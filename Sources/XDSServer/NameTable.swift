/// Lets streams that want the same names share one copy of them: a thousand sidecars of a mesh ask for the same thousands of
/// endpoints. Bound to one event loop, as its streams are.
final class NameTable {
    private static let minimum = 32
    private static let capacity = 64
    private var recent: [Set<String>] = []

    /// `names`, in the storage of an equal set that was seen lately if there is one.
    func shared(_ names: Set<String>) -> Set<String> {
        guard names.count >= Self.minimum else { return names }
        if let index = recent.lastIndex(where: { $0.count == names.count && $0 == names }) { return recent[index] }
        if recent.count >= Self.capacity { recent.removeFirst() }
        recent.append(names)
        return names
    }
}
