/// The declaration of a member of a ``Document``: its name, the property that it is, its shape with its limits, whether it must be
/// there, and what it means.
package struct Field<Root: Document>: Sendable {
    package typealias Path<Value> = WritableKeyPath<Root, Value> & Sendable

    /// One, unless it stands for one of several.
    package let members: [MemberSchema]
    package var alternatives: [Alternatives] = []
    /// Returns whether the value that must be there is there.
    let read: @Sendable (inout Members, inout Root) -> Bool
    let write: @Sendable (Root, inout [String: JSONValue]) -> Void

    /// A member that must be there.
    ///
    /// - Parameter early: another name that it once had, and its shape then.
    @inline(never) @_semantics("optimize.sil.specialize.generic.never")
    package static func required<Value>(
        _ name: String, _ path: any Path<Value>, _ shape: Shape<Value>, early: (String, Shape<Value>)? = nil,
        _ description: String
    ) -> Field {
        Field(
            members: Self.members(name, .required, shape, early: early, description: description),
            read: { members, root in
                guard let value = Self.read(name, shape, early: early, &members) else { return false }
                root[keyPath: path] = value
                return true
            }, write: { root, object in object[name] = shape.write(root[keyPath: path]) })
    }

    /// A member that may be left out.
    ///
    /// - Parameter standard: what holds then, where others than this program see to it.
    @inline(never) @_semantics("optimize.sil.specialize.generic.never")
    package static func optional<Value>(
        _ name: String, _ path: any Path<Value?>, _ shape: Shape<Value>, early: (String, Shape<Value>)? = nil,
        standard: Value? = nil, _ description: String
    ) -> Field {
        Field(
            members: Self.members(
                name, .optional, shape, early: early, default: standard.flatMap(shape.write), description: description),
            read: { members, root in
                root[keyPath: path] = Self.read(name, shape, early: early, isRequired: false, &members)
                return true
            }, write: { root, object in object[name] = root[keyPath: path].flatMap(shape.write) })
    }

    /// A member that may be left out and then has the value that it has in the document's `init()`.
    ///
    /// - Parameter isWritten: whether the canonical document has it where it has that value.
    @inline(never) @_semantics("optimize.sil.specialize.generic.never")
    package static func defaulted<Value: Hashable>(
        _ name: String, _ path: any Path<Value>, _ shape: Shape<Value>, early: (String, Shape<Value>)? = nil,
        isWritten: Bool = true, _ description: String
    ) -> Field {
        let standard = Root()[keyPath: path]
        return Field(
            members: Self.members(
                name, .optional, shape, early: early, default: shape.write(standard), description: description),
            read: { members, root in
                if let value = Self.read(name, shape, early: early, isRequired: false, &members) {
                    root[keyPath: path] = value
                }
                return true
            },
            write: { root, object in
                let value = root[keyPath: path]
                if isWritten || value != standard { object[name] = shape.write(value) }
            })
    }

    private static func members<Value>(
        _ name: String, _ presence: MemberSchema.Presence, _ shape: Shape<Value>, early: (String, Shape<Value>)?,
        default standard: JSONValue? = nil, description: String
    ) -> [MemberSchema] {
        let member = MemberSchema(name, presence, shape.schema, default: standard, description)
        guard let (name, shape) = early else { return [member] }
        return [
            member, MemberSchema(name, .early(of: member.name), shape.schema, "Today \(member.name)."),
        ]
    }

    private static func read<Value>(
        _ name: String, _ shape: Shape<Value>, early: (String, Shape<Value>)?, isRequired: Bool = true,
        _ members: inout Members
    ) -> Value? {
        if let (early, shape) = early, members.has(early) {
            guard members.has(name) else {
                members.log.warn(
                    members.place(early).pointer, .unknownField,
                    "\"\(early)\" is an early spelling; the field is called \"\(name)\" today")
                _ = members.take(name)
                return members.read(early, earlyFor: name, shape)
            }
            _ = members.take(early)
            members.report(early, .conflict, "is an early spelling of \"\(name)\", which is given too")
        } else if let (early, _) = early {
            _ = members.take(early)
        }
        if isRequired && !members.has(name) { members.report(name, .required, "is required") }
        return members.read(name, shape)
    }
}

extension Field {
    /// A member that means something to those who write documents, in Istio's API or in what is planned, and is not carried out.
    ///
    /// - Parameter why: a clause, as in `is not supported: …; leave it out`.
    package static func refused(_ name: String, _ why: String) -> Field {
        Field(
            members: [MemberSchema(name, .refused, .value([:]), why)],
            read: { members, _ in
                members.refuse(name, why)
                return true
            }, write: { _, _ in })
    }

    /// An early spelling of something that stands elsewhere today.
    ///
    /// - Parameters:
    ///   - today: the member that has it today.
    ///   - set: takes the value over where the document does not say it in today's way.
    package static func early<Value>(
        _ name: String, of today: String, _ shape: Shape<Value>, _ description: String,
        set: @escaping @Sendable (inout Root, Value) -> Void
    ) -> Field {
        Field(
            members: [MemberSchema(name, .early(of: today), shape.schema, description)],
            read: { members, root in
                if let value = members.read(name, earlyFor: today, shape) { set(&root, value) }
                return true
            }, write: { _, _ in })
    }

    /// A member that has only one value here, or a list of nothing else.
    ///
    /// - Parameters:
    ///   - listLimit: how often the value may stand in a list; `nil`: the member is no list.
    ///   - isWritten: whether the canonical document has it.
    ///   - why: a clause about why there is no other, as in `must be "*": …`.
    package static func constant(
        _ name: String, _ value: JSONValue, listLimit: Int? = nil, isWritten: Bool, _ why: String
    ) -> Field {
        let only = value.stringValue.map { "\"\($0)\"" } ?? value.boolValue.map { "\($0)" } ?? "\(value)"
        let choices = value.stringValue.map { [$0] } ?? []
        let single = Shape<JSONValue>(
            schema: .value(["const": value]),
            read: { json, place, log in
                if json != value {
                    log.report(place.pointer, .unsupported, "must be \(only): \(why)", choices: choices)
                }
                return json
            }, write: { $0 })
        let list = listLimit.map { Shape<[JSONValue]>.list(of: single, 0...$0) }
        return Field(
            members: [MemberSchema(name, .optional, list?.schema ?? single.schema, "Only \(only): \(why).")],
            read: { members, _ in
                if let list { _ = members.read(name, list) } else { _ = members.read(name, single) }
                return true
            },
            write: { _, object in
                if isWritten { object[name] = list == nil ? value : [value] }
            })
    }

    /// Members that stand together in a nested object of the document, and are properties of its own in the program. An object
    /// without members is left out.
    ///
    /// - Parameter isRequired: the nested object must be there.
    package static func group(
        _ name: String, isRequired: Bool = false, _ fields: [Field], _ description: String
    ) -> Field {
        let schema = ObjectSchema(
            name: nil, description: nil, members: fields.flatMap(\.members),
            alternatives: fields.flatMap(\.alternatives))
        return Field(
            members: [MemberSchema(name, isRequired ? .required : .optional, .object(schema), description)],
            read: { members, root in
                guard let json = members.take(name) else {
                    if isRequired { members.report(name, .required, "is required") }
                    return !isRequired
                }
                guard var nested = Members(json, at: members.place(name), log: members.log) else { return !isRequired }
                var isWhole = true
                for field in fields where !field.read(&nested, &root) { isWhole = false }
                nested.finish { schema.members.map(\.name) }
                return isWhole
            },
            write: { root, object in
                var members: [String: JSONValue] = [:]
                for field in fields { field.write(root, &members) }
                if !members.isEmpty { object[name] = .object(members) }
            })
    }

    /// The members of a part, which stand among the document's own.
    package static func inlined<Part: Document>(_ path: any Path<Part>) -> Field {
        let fields = Part.fields
        return Field(
            members: fields.flatMap(\.members), alternatives: fields.flatMap(\.alternatives),
            read: { members, root in
                var isWhole = true
                for field in fields where !field.read(&members, &root[keyPath: path]) { isWhole = false }
                return isWhole
            },
            write: { root, object in
                for field in fields { field.write(root[keyPath: path], &object) }
            })
    }
}
