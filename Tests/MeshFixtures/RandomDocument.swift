package import Documents

/// Makes documents of what is declared of them: such as are accepted nearly always, and such as are wrong in some places.
package struct RandomDocument<Source: RandomNumberGenerator> {
    package var source: Source
    /// Values of a member of this name, or of `parent.member`, which goes before; of a list those of its elements. Else they are
    /// as the schema says.
    private let words: [String: [JSONValue]]

    package init(_ source: Source, words: [String: [JSONValue]] = [:]) {
        self.source = source
        self.words = words
    }

    /// An object that has each of its optional members with a chance of one half.
    ///
    /// - Parameter parent: the member that it stands in.
    package mutating func object(_ schema: ObjectSchema, in parent: String = "") -> JSONValue {
        var members: [String: JSONValue] = [:]
        var left = Set(schema.alternatives.flatMap(\.names))
        for alternatives in schema.alternatives where alternatives.isRequired || chance(0.7) {
            if let name = alternatives.names.randomElement(using: &source) { left.remove(name) }
        }
        for member in schema.members where !left.contains(member.name) {
            let isThere =
                switch member.presence {
                case .required: true
                case .optional: schema.alternatives.contains { $0.names.contains(member.name) } || chance(0.5)
                case .early(let today): members[today] != nil && chance(0.1)
                case .refused: false
                }
            if case .early(let today) = member.presence, isThere { members[today] = nil }
            if isThere { members[member.name] = value(member.schema, of: member.name, in: parent) }
        }
        return .object(members)
    }

    private mutating func value(_ schema: Schema, of name: String, in parent: String) -> JSONValue {
        switch schema {
        case .list(let element, let count):
            let count = Int.random(in: max(1, count.lowerBound)...min(count.upperBound, 3), using: &source)
            return .array((0..<count).map { _ in value(element, of: name, in: parent) })
        case .map(let element, _):
            let keys = words["\(name).*"]?.compactMap(\.stringValue) ?? ["x-\(Int.random(in: 0...9, using: &source))"]
            return .object([keys.randomElement(using: &source) ?? "x": value(element, of: name, in: parent)])
        case .object(let schema): return object(schema, in: name)
        case .value, .named: break
        }
        if let word = (words["\(parent).\(name)"] ?? words[name])?.randomElement(using: &source) { return word }
        switch schema {
        case .named(let type, _): return named(type)
        case .value(let keywords, _): return value(keywords)
        default: return .null
        }
    }

    private mutating func value(_ keywords: [String: JSONValue]) -> JSONValue {
        if let constant = keywords["const"] { return constant }
        if let choice = (keywords["enum"] ?? keywords["examples"])?.arrayValue?.randomElement(using: &source) {
            return choice
        }
        let (lower, upper) = (keywords["minimum"]?.integerValue ?? 0, keywords["maximum"]?.integerValue ?? 9)
        switch keywords["type"]?.stringValue {
        case "boolean": return .bool(chance(0.5))
        case "integer":
            return .integer(
                [lower, upper, Int64.random(in: lower...upper, using: &source)].randomElement(using: &source) ?? lower)
        case "number": return .number(Double.random(in: Double(lower)...Double(upper), using: &source))
        default:
            return .string(["a", "b-\(Int.random(in: 0...99, using: &source))"].randomElement(using: &source) ?? "a")
        }
    }

    private mutating func named(_ name: String) -> JSONValue {
        switch name {
        case "Port": .integer(Int64.random(in: 1...65_535, using: &source))
        case "Share": .integer(Int64.random(in: 0...10_000, using: &source))
        case "Duration": .string(["1s", "2s", "1m", "90s"].randomElement(using: &source) ?? "1s")
        case "Timestamp": "2030-01-01T00:00:00Z"
        case "Host":
            .string(["reviews", "reviews.shop", "a.b.svc.cluster.local."].randomElement(using: &source) ?? "a")
        default: .string("n-\(Int.random(in: 0...99, using: &source))")
        }
    }

    package mutating func chance(_ probability: Double) -> Bool {
        Double.random(in: 0..<1, using: &source) < probability
    }
}

extension RandomDocument {
    /// The document with something else in one place: a value of another type or size, a member less, more, or under another of
    /// the names that are declared anywhere.
    ///
    /// - Parameter names: of members, which strangers are taken from.
    package mutating func spoiled(_ value: JSONValue, names: [String]) -> JSONValue {
        switch value {
        case .object(var members) where !members.isEmpty && chance(0.85):
            guard let name = members.keys.sorted().randomElement(using: &source) else { return value }
            switch Int.random(in: 0...9, using: &source) {
            case 0: members[name] = nil
            case 1: members[names.randomElement(using: &source) ?? "x"] = stranger()
            case 2: members[names.randomElement(using: &source) ?? "x"] = members[name]
            case 3: members[names.randomElement(using: &source) ?? "x"] = .null
            default: members[name] = members[name].map { spoiled($0, names: names) }
            }
            return .object(members)
        case .array(var elements) where !elements.isEmpty && chance(0.85):
            let index = Int.random(in: elements.indices, using: &source)
            switch Int.random(in: 0...5, using: &source) {
            case 0: elements.remove(at: index)
            case 1: elements.append(elements[index])
            case 2: elements = []
            default: elements[index] = spoiled(elements[index], names: names)
            }
            return .array(elements)
        default: return stranger()
        }
    }

    private mutating func stranger() -> JSONValue {
        let strangers: [JSONValue] = [
            .null, true, false, 0, -1, 1, 99, 65_536, 10_001, .integer(.max), .integer(.min), .number(0.5),
            .number(-1e300), "", "a",
            "A", "*", "/x", "a b", "\n", "%", "%REQ(x)%", "$", "a(", "[", "1s", "0s", "1000h", "-1s", "reviews", "a.b",
            "*.a", "é",
            .string(String(repeating: "a", count: 5000)), [], [1], ["a", "a"], [:], ["a": 1], ["exact": "a"],
            ["any": []],
            ["value": 101], ["regex": "("], ["prefix": "/a", "exact": "/a"], ["number": 80], "LEAST_CONN", "mesh",
            "immediate",
        ]
        return strangers.randomElement(using: &source) ?? .null
    }
}

extension ObjectSchema {
    /// The names of all members, those of nested objects too.
    package var allNames: [String] {
        members.flatMap { [$0.name] + $0.schema.names }
    }
}

extension Schema {
    fileprivate var names: [String] {
        switch self {
        case .value, .named: []
        case .list(let element, _), .map(let element, _): element.names
        case .object(let schema): schema.allNames
        }
    }
}
