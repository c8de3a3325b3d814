/// The statements that one connection has prepared, least recently used out first.
///
/// No I/O: the session sends what ``plan(_:)`` says and reports what became of it.
struct StatementCache {
    /// One prepared statement. A class, so that a hit costs one look-up.
    final class Entry {
        /// Its name on the server.
        let name: String
        fileprivate(set) var lastUse: UInt64
        /// Known after the first rows; the server keeps them constant for a prepared statement.
        var columns: Columns?

        fileprivate init(name: String, lastUse: UInt64) {
            self.name = name
            self.lastUse = lastUse
        }
    }

    /// Text and parameter types: the same text may be bound with other types elsewhere.
    struct Key: Hashable {
        let sql: String
        let slots: [Statement.Slot]

        static func == (a: Self, b: Self) -> Bool {
            a.sql == b.sql && a.slots.elementsEqual(b.slots) { $0.type == $1.type }
        }

        func hash(into hasher: inout Hasher) { hasher.combine(sql) }
    }

    /// The messages to send before a statement can be executed.
    enum Plan {
        case execute(Entry)
        /// Prepare first; and free the name of `evicted` on the server, if there is one.
        case prepare(Entry, evicted: String?)
    }

    private var entries: [Key: Entry] = [:]
    private var clock: UInt64 = 0
    private let capacity: Int

    var count: Int { entries.count }

    /// - Parameter capacity: at least one more than the statements of the longest pipeline is best; see ``plan(_:)``.
    init(capacity: Int) { self.capacity = max(1, capacity) }

    /// Finds the statement or makes room for it. An entry is in the cache as soon as it is planned: when preparing it
    /// fails, call ``forget(_:)``.
    mutating func plan(_ key: Key) -> Plan {
        clock += 1
        if let entry = entries[key] {
            entry.lastUse = clock
            return .execute(entry)
        }
        var evicted: String?
        if entries.count >= capacity, let oldest = entries.min(by: { $0.value.lastUse < $1.value.lastUse }) {
            entries[oldest.key] = nil
            evicted = oldest.value.name
        }
        let entry = Entry(name: "s\(clock)", lastUse: clock)
        entries[key] = entry
        return .prepare(entry, evicted: evicted)
    }

    /// Drops a statement that the server does not have, or no longer accepts.
    mutating func forget(_ key: Key) { entries[key] = nil }

    /// Drops all, after the server has lost or invalidated them.
    mutating func removeAll() { entries.removeAll() }
}
