/// The difference between two documents in the form of JSON Patch (RFC 6902).
package struct JSONPatch: Hashable, Sendable {
    package enum Operation: Hashable, Sendable {
        case add(JSONPointer, JSONValue)
        case replace(JSONPointer, JSONValue)
        case remove(JSONPointer)
    }

    /// To be carried out in this order.
    package private(set) var operations: [Operation] = []

    package init() {}

    /// - Parameter pointer: to the two documents, in the one that the patch is for.
    package init(from old: JSONValue, to new: JSONValue, at pointer: JSONPointer = .root) {
        compare(old, new, pointer)
    }

    package static func + (a: Self, b: Self) -> Self {
        var sum = a
        sum.operations += b.operations
        return sum
    }

    package var json: JSONValue {
        .array(
            operations.map { operation in
                switch operation {
                case .add(let path, let value): ["op": "add", "path": .string(path.description), "value": value]
                case .replace(let path, let value):
                    ["op": "replace", "path": .string(path.description), "value": value]
                case .remove(let path): ["op": "remove", "path": .string(path.description)]
                }
            })
    }

    private mutating func compare(_ old: JSONValue, _ new: JSONValue, _ place: JSONPointer) {
        if old == new { return }
        switch (old, new) {
        case (.object(let old), .object(let new)):
            for name in Set(old.keys).union(new.keys).sorted() {
                switch (old[name], new[name]) {
                case (let before?, let after?): compare(before, after, place.appending(name))
                case (nil, let after?): operations.append(.add(place.appending(name), after))
                case (_, nil): operations.append(.remove(place.appending(name)))
                }
            }
        case (.array(let old), .array(let new)): compare(old, new, place)
        default: operations.append(.replace(place, new))
        }
    }

    /// First takes away, from the end, then puts in, from the beginning, and then changes what is in its place.
    private mutating func compare(_ old: [JSONValue], _ new: [JSONValue], _ place: JSONPointer) {
        let pairs = Self.pairs(old, new)
        let (kept, found) = (Set(pairs.map(\.old)), Set(pairs.map(\.new)))
        for index in old.indices.reversed() where !kept.contains(index) {
            operations.append(.remove(place.appending(index)))
        }
        for index in new.indices where !found.contains(index) {
            operations.append(.add(place.appending(index), new[index]))
        }
        for pair in pairs { compare(old[pair.old], new[pair.new], place.appending(pair.new)) }
    }

    /// The elements that are the same ones in both arrays, in order: by their names, if all have one of their own, else the equal ones at
    /// both ends and then those that are as far from the end.
    private static func pairs(_ old: [JSONValue], _ new: [JSONValue]) -> [(old: Int, new: Int)] {
        if let before = names(old), let after = names(new) {
            let places = Dictionary(uniqueKeysWithValues: zip(after, after.indices))
            var pairs: [(old: Int, new: Int)] = []
            for (index, name) in before.enumerated() {
                guard let place = places[name], place > pairs.last?.new ?? -1 else { continue }
                pairs.append((index, place))
            }
            return pairs
        }
        let count = min(old.count, new.count)
        let start = (0..<count).prefix { old[$0] == new[$0] }.count
        return (0..<start).map { ($0, $0) }
            + (start..<count).map { ($0 + old.count - count, $0 + new.count - count) }
    }

    /// The `name` of each element; `nil` if some have none, or the same.
    private static func names(_ elements: [JSONValue]) -> [String]? {
        let names = elements.compactMap { $0["name"]?.stringValue }
        return names.count == elements.count && Set(names).count == names.count ? names : nil
    }
}
