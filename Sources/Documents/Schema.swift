/// The JSON Schema of a value, as far as ``Shape``s know it; the OpenAPI document and the table of fields are made of it.
package indirect enum Schema: Sendable {
    /// Keywords of JSON Schema (2020-12), and a sentence about what they cannot say.
    case value([String: JSONValue], note: String? = nil)
    /// A value that has a schema of its own, by its name among the components of the OpenAPI document.
    case named(String, note: String? = nil)
    case list(of: Schema, ClosedRange<Int>)
    /// An object whose members' names are free.
    case map(of: Schema, note: String? = nil)
    /// An object of declared members that stands where it is used.
    case object(ObjectSchema)
}

extension Schema {
    /// The schema with values that show what is meant.
    func examples(_ examples: [JSONValue]) -> Schema {
        guard case .value(var keywords, let note) = self else { return self }
        keywords["examples"] = .array(examples)
        return .value(keywords, note: note)
    }
}

/// The declaration of an object.
package struct ObjectSchema: Sendable {
    /// By what name others refer to it; `nil`: it is part of where it stands.
    package var name: String?
    /// One sentence or a few.
    package var description: String?
    package var members: [MemberSchema]
    package var alternatives: [Alternatives]

    package init(
        name: String?, description: String?, members: [MemberSchema], alternatives: [Alternatives] = []
    ) {
        self.name = name
        self.description = description
        self.members = members
        self.alternatives = alternatives
    }
}

/// Members of an object of which there can be one.
package struct Alternatives: Sendable {
    package var names: [String]
    /// Whether there must be one.
    package var isRequired: Bool
}

/// The declaration of a member of an object.
package struct MemberSchema: Sendable {
    package enum Presence: Hashable, Sendable {
        case optional, required
        /// The member means something to the API that documents are written for, and is not carried out here.
        case refused
        /// An early spelling of another member, or of something in it, which is read and never written.
        case early(of: String)
    }

    package var name: String
    package var presence: Presence
    package var schema: Schema
    /// The value that holds where the member is left out.
    package var defaultValue: JSONValue?
    /// The member's meaning; of one that is refused, the reason.
    package var description: String

    package init(
        _ name: String, _ presence: Presence, _ schema: Schema, default defaultValue: JSONValue? = nil,
        _ description: String
    ) {
        self.name = name
        self.presence = presence
        self.schema = schema
        self.defaultValue = defaultValue
        self.description = description
    }
}
