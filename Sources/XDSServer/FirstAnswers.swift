/// What clients that came back were answered lately, so that the next one that has and wants the same shares it: after a
/// replica is lost, a thousand sidecars come at once, and each lists all that it has.
///
/// Bound to one event loop, as its streams are.
final class FirstAnswers {
    /// All that a first answer depends on.
    struct Key: Hashable {
        var type: ResourceType
        var isWildcard: Bool
        var names: NameSet.Fingerprint
        /// Names and versions that the client says it has.
        var has: NameSet.Fingerprint
        /// ``ResourceSet/id``.
        var set: UInt64
    }

    struct Answer {
        var resources: [EncodedResource] = []
        var removed: [String] = []
        /// What the client has and is to be told later to remove.
        var leaving: [String: EncodedResource?] = [:]
    }

    private static let capacity = 64
    private var answers: [Key: Answer] = [:]

    func answer(_ key: Key, orMake make: () -> Answer) -> Answer {
        if let known = answers[key] { return known }
        let answer = make()
        if answers.count >= Self.capacity { answers = [:] }
        answers[key] = answer
        return answer
    }
}

/// What the streams of one event loop share. Bound to that loop.
final class StreamSharing {
    let lists = RecentLists()
    let names = NameTable()
    let firstAnswers = FirstAnswers()
}
