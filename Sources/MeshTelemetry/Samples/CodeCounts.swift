internal import MeshCore

/// How many answers had which status code. Counts stop at the largest number instead of overflowing.
package struct CodeCounts: Hashable, Sendable {
    package struct Entry: Hashable, Sendable {
        package var code: Int
        package var count: UInt64
    }

    /// Codes that are told apart; answers with others are counted as ``other``.
    static let maxCodes = 32
    /// Stands for the codes beyond ``maxCodes``.
    package static let other = 0

    /// By code, each once, none of them 0 times.
    package private(set) var entries: [Entry] = []

    package init() {}

    package init(_ counts: [Int: UInt64]) {
        for (code, count) in counts.sorted(by: { $0.key < $1.key }) { add(count, of: code) }
    }

    package mutating func add(_ count: UInt64, of code: Int) {
        guard count > 0 else { return }
        var index = entries.firstIndex { $0.code >= code } ?? entries.count
        if index == entries.count || entries[index].code != code {
            guard entries.count < Self.maxCodes || code == Self.other else { return add(count, of: Self.other) }
            entries.insert(Entry(code: code, count: 0), at: index)
            index = entries.firstIndex { $0.code == code } ?? index
        }
        entries[index].count = entries[index].count.addingSaturating(count)
    }

    package mutating func merge(_ other: CodeCounts) {
        for entry in other.entries { add(entry.count, of: entry.code) }
    }

    package var total: UInt64 { total { _ in true } }

    /// How many answers had one of some codes.
    package func total(_ isCounted: (Int) -> Bool) -> UInt64 {
        entries.reduce(0) { isCounted($1.code) ? $0.addingSaturating($1.count) : $0 }
    }
}
