/// What clients were answered lately that costs more to find out than to look up, so that the next one that has and wants the
/// same shares it: when all clusters change, and after a replica is lost, when a thousand sidecars come at once and each lists all
/// that it has.
///
/// Bound to one event loop, as its streams are.
final class SharedAnswers {
    /// All that an answer depends on.
    struct Key: Hashable {
        var variant: Variant
        var type: ResourceType
        var isWildcard: Bool
        var names: NameSet.Fingerprint
        /// To be sent again.
        var forced: NameSet.Fingerprint
        /// Names and versions that the client says it has, but for those of layers of its own that are as it says.
        var has: NameSet.Fingerprint
        /// Nothing has been sent yet.
        var isFirst: Bool
        /// ``ResourceSet/id`` of the layers in which what was sent last and what there is now differ
        /// (``LayeredSet/difference(from:and:)``): so clients share what they are told although each has something of its own.
        var old: [UInt64]
        var new: [UInt64]
    }

    struct Answer {
        var resources: [EncodedResource] = []
        var removed: [String] = []
        /// What the client has and is to be told later to remove.
        var leaving: [String: EncodedResource?] = [:]
        /// The names of ``resources``.
        var names: NameSet
        /// State of the world: whether something is another than it was.
        var isChange = true
        /// Nobody else is to be answered by it.
        var isPrivate = false

        init(
            resources: [EncodedResource] = [], removed: [String] = [], leaving: [String: EncodedResource?] = [:],
            isChange: Bool = true, isPrivate: Bool = false
        ) {
            self.resources = resources
            self.removed = removed
            self.leaving = leaving
            self.isChange = isChange
            self.isPrivate = isPrivate
            names = NameSet(resources.map(\.name))
        }
    }

    /// As many names as are worth a look: fewer are gone through as quickly.
    static let minimum = 16
    /// Few, because they keep resources that may be gone.
    private static let capacity = 16
    private var answers: [Key: Answer] = [:]

    func answer(_ key: Key, orMake make: () -> Answer) -> Answer {
        if let known = answers[key] { return known }
        let answer = make()
        if answer.isPrivate { return answer }
        if answers.count >= Self.capacity { answers = [:] }
        answers[key] = answer
        return answer
    }
}

/// What the streams of one event loop share. Bound to that loop.
final class StreamSharing {
    let lists = RecentLists()
    let names = NameTable()
    let answers = SharedAnswers()
}
