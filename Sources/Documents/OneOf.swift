/// One of the members of which an object has exactly one: its name and shape, and how the value becomes part of a choice. (No key
/// path reaches into the payload of an enum's case.)
package struct Case<Choice: Sendable>: Sendable {
    let member: MemberSchema
    /// Whether it is there, the choice if there is one, and whether it counts as given.
    let read: @Sendable (inout Members) -> (choice: Choice?, isGiven: Bool)
    let write: @Sendable (Choice) -> JSONValue?

    /// - Parameters:
    ///   - isOne: whether a value is one of those of which there can be only one.
    ///   - get: `nil` if the choice is another one.
    package init<Value>(
        _ name: String, _ shape: Shape<Value>, _ description: String,
        isOne: @escaping @Sendable (Value) -> Bool = { _ in true },
        make: @escaping @Sendable (Value) -> Choice?, get: @escaping @Sendable (Choice) -> Value?
    ) {
        member = MemberSchema(name, .optional, shape.schema, description)
        read = { members in
            guard members.has(name) else {
                _ = members.take(name)
                return (nil, false)
            }
            guard let value = members.read(name, shape) else { return (nil, true) }
            return isOne(value) ? (make(value), true) : (nil, false)
        }
        write = { choice in get(choice).flatMap(shape.write) }
    }

    /// One that is not carried out here (``Field/refused(_:_:)``).
    package init(refused name: String, _ why: String) {
        member = MemberSchema(name, .refused, .value([:]), why)
        read = { members in
            let isGiven = members.has(name)
            members.refuse(name, why)
            return (nil, isGiven)
        }
        write = { _ in nil }
    }
}

/// Members of which an object has exactly one, or at most one.
package struct OneOf<Choice: Sendable>: Sendable {
    private let cases: [Case<Choice>]
    private let isRequired: Bool

    package init(_ cases: [Case<Choice>], isRequired: Bool) {
        self.cases = cases
        self.isRequired = isRequired
    }

    var members: [MemberSchema] { cases.map(\.member) }
    var alternatives: Alternatives { Alternatives(names: names, isRequired: isRequired) }
    private var names: [String] { cases.map(\.member).filter { $0.presence == .optional }.map(\.name) }

    /// - Returns: whether there is one although it may be wrong, and the choice if there is just one.
    func read(_ members: inout Members) -> (choice: Choice?, isGiven: Bool) {
        var (choices, given): ([Choice], [String]) = ([], [])
        for one in cases {
            let (choice, isGiven) = one.read(&members)
            if isGiven { given.append(one.member.name) }
            if let choice { choices.append(choice) }
        }
        if given.count > 1 {
            members.log.report(
                members.pointer, .conflict, "must have only one of \(given.joined(separator: ", "))", choices: names)
            return (nil, true)
        }
        if given.isEmpty && isRequired {
            members.log.report(
                members.pointer, .required, "must have one of \(names.joined(separator: ", "))", choices: names)
        }
        return (choices.first, !given.isEmpty)
    }

    func write(_ choice: Choice, _ object: inout [String: JSONValue]) {
        for one in cases {
            if let json = one.write(choice) { object[one.member.name] = json }
        }
    }
}

extension Field {
    /// Exactly one of several members.
    package static func oneOf<Choice>(_ path: any Path<Choice>, _ cases: [Case<Choice>]) -> Field {
        let oneOf = OneOf(cases, isRequired: true)
        return Field(
            members: oneOf.members, alternatives: [oneOf.alternatives],
            read: { members, root in
                guard let choice = oneOf.read(&members).choice else { return false }
                root[keyPath: path] = choice
                return true
            }, write: { root, object in oneOf.write(root[keyPath: path], &object) })
    }

    /// At most one of several members; with none the property keeps the value that it has in the document's `init()`.
    package static func oneOf<Choice>(defaulting path: any Path<Choice>, _ cases: [Case<Choice>]) -> Field {
        let oneOf = OneOf(cases, isRequired: false)
        return Field(
            members: oneOf.members, alternatives: [oneOf.alternatives],
            read: { members, root in
                let (choice, isGiven) = oneOf.read(&members)
                if let choice { root[keyPath: path] = choice }
                return choice != nil || !isGiven
            }, write: { root, object in oneOf.write(root[keyPath: path], &object) })
    }
}
