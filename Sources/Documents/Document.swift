/// A value that is an object in documents, whose members are declared once (``Field``): reading with all violations, canonical
/// writing, JSON Schema and the table of fields follow from the declarations.
///
/// A required member has a value in ``init()`` that means nothing. It never leaves the reader, which returns nothing where the
/// member is missing.
package protocol Document: Hashable, Sendable {
    /// With the defaults of all members.
    init()

    /// In the order in which they are documented. Names are different.
    static var fields: [Field<Self>] { get }

    /// Checks what is true of several members at once, and gives a form that is the same for equal meanings. Called when all members have been
    /// read, wrong ones with their default.
    mutating func finish(_ reading: Members)

    /// By what name others refer to its schema. Default: the type's. `nil`: it is written down where it stands.
    static var schemaName: String? { get }
    /// A description of the document as a whole, for readers of the contract.
    static var summary: String? { get }
}

extension Document {
    package mutating func finish(_ reading: Members) {}
    package static var schemaName: String? { "\(Self.self)" }
    package static var summary: String? { nil }

    /// Reads a stored or received document.
    ///
    /// - Parameter pointer: where it stands in the request.
    /// - Returns: `nil` if anything was reported.
    package static func read(_ document: JSONValue, at pointer: JSONPointer, log: ViolationLog) -> Self? {
        let before = log.count
        let value = read(document, Place(pointer), log)
        return log.count == before ? value : nil
    }

    /// Reads a part of another document: a value may be returned although something was reported.
    static func read(_ json: JSONValue, _ place: Place, _ log: ViolationLog) -> Self? {
        guard var members = Members(json, at: place, log: log) else { return nil }
        return members.read { members, value in
            var isWhole = true
            for field in fields where !field.read(&members, &value) { isWhole = false }
            return isWhole
        }
    }

    /// The canonical document: what is stored and answered.
    package var json: JSONValue {
        var members: [String: JSONValue] = [:]
        for field in Self.fields { field.write(self, &members) }
        return .object(members)
    }

    package static var schema: ObjectSchema {
        ObjectSchema(
            name: schemaName, description: summary, members: fields.flatMap(\.members),
            alternatives: fields.flatMap(\.alternatives))
    }
}

extension Shape where Value: Document {
    /// An object.
    package static var document: Shape {
        Shape(
            schema: .object(Value.schema),
            read: { json, place, log in Value.read(json, place, log) }, write: { .some($0.json) })
    }

    /// An object that is left out if it says nothing.
    package static var documentUnlessEmpty: Shape {
        let document = document
        return Shape(
            schema: document.schema, read: document.read,
            write: { value in
                let json = value.json
                return json == .object([:]) ? nil : .some(json)
            })
    }
}
