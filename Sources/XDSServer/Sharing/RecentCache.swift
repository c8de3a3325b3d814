/// A cache of the last few values that somebody asked for, in the order in which they were first asked for: when it is full, the
/// oldest goes. For questions that many clients ask at the same time and nobody asks later.
package struct RecentCache<Key: Hashable, Value> {
    private var values: [Key: Value] = [:]
    /// The oldest first.
    private var keys: [Key] = []
    private let capacity: Int

    /// - Parameter capacity: how many values are kept; more than zero. A small number, since the oldest is moved past all others.
    package init(capacity: Int) { self.capacity = capacity }

    package subscript(key: Key) -> Value? { values[key] }

    package var count: Int { keys.count }

    /// The value of a key, made if it is not there.
    package mutating func value(_ key: Key, make: () -> Value) -> Value {
        if let known = values[key] { return known }
        let value = make()
        insert(value, for: key)
        return value
    }

    /// - Returns: what had to go.
    @discardableResult
    package mutating func insert(_ value: Value, for key: Key) -> Value? {
        if values.updateValue(value, forKey: key) != nil { return nil }
        keys.append(key)
        return keys.count > capacity ? removeOldest() : nil
    }

    /// - Returns: `nil` if there is none.
    @discardableResult
    package mutating func removeOldest() -> Value? {
        keys.isEmpty ? nil : values.removeValue(forKey: keys.removeFirst())
    }
}
