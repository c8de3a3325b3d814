/// A law: no two elements of a list are equal in something.
package struct Uniqueness<Element: Sendable>: Sendable {
    let key: @Sendable (Element) -> AnyHashable
    let path: [String]
    let rule: String

    /// - Parameters:
    ///   - path: where in an element it stands.
    ///   - rule: such as `names of ports must be unique`.
    package init<Key: Hashable & Sendable>(
        _ key: @escaping @Sendable (Element) -> Key, at path: [String] = [], _ rule: String
    ) {
        self.key = { AnyHashable(key($0)) }
        self.path = path
        self.rule = rule
    }

    func check(_ elements: [(element: Element, place: Place)], _ log: ViolationLog) {
        guard elements.count > 1 else { return }
        var seen: Set<AnyHashable> = []
        for (element, place) in elements where !seen.insert(key(element)).inserted {
            log.report(path.reduce(place.pointer) { $0.appending($1) }, .duplicate, rule)
        }
    }
}

extension Uniqueness where Element: Hashable {
    package static func ofElements(_ rule: String) -> Uniqueness { Uniqueness({ $0 }, rule) }
}

extension Shape {
    /// An array; an empty one is left out.
    ///
    /// - Parameters:
    ///   - count: how many elements there may be. One that must not be empty has at least 1.
    ///   - mayBeOne: one element may stand in the array's place, which earns a warning.
    ///   - isWrittenEmpty: an empty one is not left out.
    package static func list<Element: Sendable>(
        of element: Shape<Element>, _ count: ClosedRange<Int>, _ uniquenesses: Uniqueness<Element>...,
        mayBeOne: Bool = false, isWrittenEmpty: Bool = false
    ) -> Shape where Value == [Element] {
        Shape(
            schema: .list(of: element.schema, count),
            read: { json, place, log in
                if mayBeOne, case .object = json {
                    log.warn(place.pointer, .wrongType, "is a list today; read as a list of one")
                    return element.read(json, place, log).map { [$0] }
                }
                guard case .array(let values) = json else { return log.mismatch(place, "an array", json) }
                guard values.count <= count.upperBound else {
                    log.report(place.pointer, .tooMany, "must have at most \(count.upperBound) elements")
                    return nil
                }
                guard values.count >= count.lowerBound else {
                    log.report(place.pointer, .required, "must not be empty")
                    return nil
                }
                let here = place.pointer
                let elements = values.indices.compactMap { index in
                    let place = Place(index, in: here)
                    return element.read(values[index], place, log).map { (element: $0, place: place) }
                }
                for uniqueness in uniquenesses { uniqueness.check(elements, log) }
                return elements.map(\.element)
            },
            write: { elements in
                elements.isEmpty && !isWrittenEmpty ? nil : .array(elements.map { element.write($0) ?? .null })
            })
    }

    /// An object whose members' names are free; an empty one is left out.
    ///
    /// - Parameter key: reports what is wrong with a name, and returns `nil` where that leaves none.
    package static func map<Key: Hashable & Sendable, Element: Sendable>(
        of element: Shape<Element>, note: String? = nil,
        key: @escaping @Sendable (String, Place, ViolationLog) -> Key?,
        name: @escaping @Sendable (Key) -> String
    ) -> Shape where Value == [Key: Element] {
        Shape(
            schema: .map(of: element.schema, note: note),
            read: { json, place, log in
                guard case .object(let members) = json else { return log.mismatch(place, "an object", json) }
                let here = place.pointer
                var map: Value = [:]
                for (member, value) in members.sorted(by: { $0.key < $1.key }) {
                    let place = Place(member, in: here)
                    guard let value = element.read(value, place, log), let key = key(member, place, log) else {
                        continue
                    }
                    if map.updateValue(value, forKey: key) != nil {
                        log.report(place.pointer, .duplicate, "is given in another spelling too")
                    }
                }
                return map
            },
            write: { map in
                guard !map.isEmpty else { return nil }
                let members = map.map { (name($0.key), element.write($0.value) ?? .null) }
                return .object(Dictionary(members, uniquingKeysWith: { first, _ in first }))
            })
    }

    /// A map, as ``map(of:note:key:name:)``, with names as they stand.
    package static func map<Element: Sendable>(
        of element: Shape<Element>, note: String? = nil
    ) -> Shape where Value == [String: Element] {
        map(of: element, note: note, key: { name, _, _ in name }, name: { $0 })
    }
}

extension Shape where Value == [String: String] {
    /// Labels and the like.
    package static var strings: Shape { map(of: .text) }
}

extension Shape {
    /// An object around a value: it has this one member, which must be there.
    ///
    /// - Parameter refused: members that are not carried out here, with why.
    package static func object(
        of name: String, _ shape: Shape, refused: KeyValuePairs<String, String> = [:], _ description: String
    ) -> Shape {
        let refused = refused.map { (name: $0.key, why: $0.value) }
        let members =
            [MemberSchema(name, .required, shape.schema, description)]
            + refused.map { MemberSchema($0.name, .refused, .value([:]), $0.why) }
        return Shape(
            schema: .object(ObjectSchema(name: nil, description: nil, members: members)),
            read: { json, place, log in
                guard var object = Members(json, at: place, log: log) else { return nil }
                if !object.has(name) { object.report(name, .required, "is required") }
                let value = object.read(name, shape)
                for (name, why) in refused { object.refuse(name, why) }
                object.finish { members.map(\.name) }
                return value
            },
            write: { value in shape.write(value).map { .object([name: $0]) } })
    }
}
