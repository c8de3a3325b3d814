import Documents
import MeshCore
import MeshModel
import Yams

/// The table of all fields, to read: `openapi/fields.md`.
struct FieldPage {
    let kinds: [Kind]
    /// Has what values of named types are.
    let overlay: OpenAPIOverlay

    func text() throws -> String {
        let declared = try DeclaredSchemas(kinds.map { $0.specType.schema })
        let head = """
            <!-- Made by `make golden` of the declarations in Sources/MeshModel/Kinds and Sources/GrayRelease. -->
            # Fields

            What documents of each kind may have in `spec`, with limits and defaults. A field in **bold** is required. What stands \\
            under "Refused" means something in Istio's API, or is planned, and is not carried out here: it is refused with the reason, so that nothing is \\
            accepted that does not act; what is without effect somewhere says so. `null` counts as left out.


            """.replacing("\\\n", with: "")
        let sections = declared.schemas.map { section($0.name, $0.schema) }
        return head + (sections + [try types(declared.named)]).joined(separator: "\n")
    }

    private func types(_ names: Set<String>) throws -> String {
        let schemas = overlay.components.first { $0.section == "schemas" }?.members ?? []
        return try "## Types\n\n"
            + names.sorted().map { name in
                guard let schema = schemas.first(where: { $0.0.string == name })?.1 else {
                    throw OpenAPIProblem("there is no schema \(name)")
                }
                let range = [schema["minimum"]?.string, schema["maximum"]?.string].compactMap(\.self)
                let text = [
                    schema["description"]?.string, range.isEmpty ? nil : range.joined(separator: " to ") + ".",
                    schema["pattern"]?.string.map { "`\($0)`" },
                ]
                return "- \(name): \(text.compactMap(\.self).joined(separator: " "))\n"
            }.joined()
    }

    private func section(_ name: String, _ schema: ObjectSchema) -> String {
        var text = "## \(name)\n\n"
        if let description = schema.description { text += description + "\n\n" }
        let rows = rows(of: schema, below: "")
        if !rows.isEmpty {
            text += "| Field | Type | Default | Meaning |\n|---|---|---|---|\n" + rows.map { $0 + "\n" }.joined()
        }
        let refused = refused(in: schema, below: "")
        if !refused.isEmpty { text += "\nRefused:\n\n" + refused.map { "- \($0)\n" }.joined() }
        return text
    }

    private func rows(of schema: ObjectSchema, below path: String) -> [String] {
        schema.members.filter { $0.presence != .refused }.flatMap { member -> [String] in
            let name = "`\(path)\(member.name)`"
            let early = if case .early = member.presence { "*Early spelling.* " } else { "" }
            let meaning = early + [member.description, member.schema.note].compactMap(\.self).joined(separator: " ")
            let standard = member.defaultValue.map(Self.text).flatMap { $0.isEmpty ? nil : "`\($0)`" } ?? ""
            let row =
                "| \(member.presence == .required ? "**\(name)**" : name) | \(Self.type(member.schema)) | \(standard) | "
                + meaning.replacing("|", with: "\\|") + " |"
            guard let (nested, path) = Self.nested(member.schema, below: "\(path)\(member.name)") else { return [row] }
            return [row] + rows(of: nested, below: path)
        }
    }

    private func refused(in schema: ObjectSchema, below path: String) -> [String] {
        schema.members.flatMap { member -> [String] in
            if member.presence == .refused { return ["`\(path)\(member.name)`: \(member.description)"] }
            guard let (nested, path) = Self.nested(member.schema, below: "\(path)\(member.name)") else { return [] }
            return refused(in: nested, below: path)
        }
    }

    /// An object that has no section of its own, and what its members' names stand behind.
    private static func nested(_ schema: Schema, below path: String) -> (ObjectSchema, String)? {
        switch schema {
        case .object(let object) where object.name == nil: (object, path + ".")
        case .list(let element, _): nested(element, below: path + "[]")
        case .map(let element, _): nested(element, below: path + ".*")
        default: nil
        }
    }

    private static func type(_ schema: Schema) -> String {
        switch schema {
        case .value(let keywords, _): type(keywords)
        case .named(let name, _): name
        case .list(let element, let count): "\(count.lowerBound) to \(count.upperBound) of: \(type(element))"
        case .map(let element, _): "map of \(type(element))"
        case .object(let object): object.name.map { "[\($0)](#\($0.lowercased()))" } ?? "object"
        }
    }

    private static func type(_ keywords: [String: JSONValue]) -> String {
        if let constant = keywords["const"] { return "`\(text(constant))`" }
        if let choices = keywords["enum"]?.arrayValue {
            return choices.map { "`\(text($0))`" }.joined(separator: ", ")
        }
        let type = keywords["type"]?.stringValue ?? ""
        if let lower = keywords["minimum"], let upper = keywords["maximum"] {
            return "\(type), \(text(lower)) to \(text(upper))"
        }
        return keywords["maxLength"].map { "\(type), at most \(text($0)) characters" } ?? type
    }

    private static func text(_ value: JSONValue) -> String {
        switch value {
        case .null: "null"
        case .bool(let flag): "\(flag)"
        case .integer(let number): "\(number)"
        case .number(let number): "\(number)"
        case .string(let text): text
        case .array(let elements): "[" + elements.map(text).joined(separator: ", ") + "]"
        case .object(let members):
            "{" + members.sorted { $0.key < $1.key }.map { "\($0.key): \(text($0.value))" }.joined(separator: ", ")
                + "}"
        }
    }
}
