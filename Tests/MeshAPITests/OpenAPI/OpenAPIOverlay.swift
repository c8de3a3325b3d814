import Yams

/// The part of the OpenAPI document that is written by hand: `openapi/overlay.yaml`. What it says that nobody asks for is an error,
/// so that nothing in it can be out of date unnoticed.
struct OpenAPIOverlay {
    /// What an operation is besides what its route and its kind say.
    struct Operation {
        var tag: String?
        var summary: String?
        var description: Node?
        /// Components by the names of the query's parameters, where they are called otherwise.
        var parameters: [String: String] = [:]
        /// The name of a schema, or a schema.
        var body: Node?
        /// Names of answers by status; `nil`: there is no such answer.
        var responses: [String: String?] = [:]
        /// Whether the version of an object can be a condition of the call.
        var isConditional: Bool?
    }

    struct KindEntry {
        /// The schema of `status`, if that is no ordinary one.
        var status: String?
    }

    /// What stands before the paths, in its order.
    private(set) var head: [(Node, Node)] = []
    private(set) var kinds: [String: KindEntry] = [:]
    private(set) var operations: [String: Operation] = [:]
    /// Sections with their members, in their order.
    private(set) var components: [(section: String, members: [(Node, Node)])] = []

    init(yaml: String) throws {
        for (key, value) in try Self.members(Node.yaml(yaml), "the overlay") {
            switch key.string {
            case "kinds":
                for (name, entry) in try Self.members(value, "kinds") {
                    kinds[name.string ?? ""] = try KindEntry(entry, "kinds/\(name.string ?? "")")
                }
            case "operations":
                for (name, entry) in try Self.members(value, "operations") {
                    operations[name.string ?? ""] = try Operation(entry, "operations/\(name.string ?? "")")
                }
            case "components":
                components = try Self.members(value, "components").map { section, members in
                    (section.string ?? "", try Self.members(members, "components/\(section.string ?? "")"))
                }
            case "openapi", "info", "servers", "security", "tags": head.append((key, value))
            default: throw OpenAPIProblem("the overlay has the unknown key \(key.string ?? "")")
            }
        }
    }

    fileprivate static func members(_ node: Node, _ place: String) throws -> [(Node, Node)] {
        guard let mapping = node.mapping else { throw OpenAPIProblem("\(place) is no mapping") }
        return mapping.map { ($0.key, $0.value) }
    }

    /// - Throws: for operations and kinds that there are not.
    func checkNames(operations known: Set<String>, kinds knownKinds: Set<String>) throws {
        for name in operations.keys.sorted() where !known.contains(name) {
            throw OpenAPIProblem("there is no operation \(name)")
        }
        for name in kinds.keys.sorted() where !knownKinds.contains(name) {
            throw OpenAPIProblem("there is no kind \(name)")
        }
    }
}

extension OpenAPIOverlay.Operation {
    fileprivate init(_ node: Node, _ place: String) throws {
        for (key, value) in try OpenAPIOverlay.members(node, place) {
            switch key.string {
            case "tag": tag = value.string
            case "summary": summary = value.string
            case "description": description = value
            case "parameters":
                for (name, component) in try OpenAPIOverlay.members(value, "\(place)/parameters") {
                    parameters[name.string ?? ""] = component.string
                }
            case "body": body = value
            case "responses":
                for (status, name) in try OpenAPIOverlay.members(value, "\(place)/responses") {
                    responses[status.string ?? ""] = .some(name.null == nil ? name.string : nil)
                }
            case "conditional": isConditional = value.bool
            default: throw OpenAPIProblem("\(place) has the unknown key \(key.string ?? "")")
            }
        }
    }
}

extension OpenAPIOverlay.KindEntry {
    fileprivate init(_ node: Node, _ place: String) throws {
        for (key, value) in try OpenAPIOverlay.members(node, place) {
            switch key.string {
            case "status": status = value.string
            default: throw OpenAPIProblem("\(place) has the unknown key \(key.string ?? "")")
            }
        }
    }
}

/// The references of a document, which lead to something, and to everything.
struct OpenAPIReferences {
    private var targets: Set<String> = []
    private var components: Set<String> = []

    init(_ document: Node) {
        collect(document)
        for (section, members) in document["components"]?.mapping ?? [:] {
            for (name, _) in members.mapping ?? [:] {
                components.insert("#/components/\(section.string ?? "")/\(name.string ?? "")")
            }
        }
    }

    private mutating func collect(_ node: Node) {
        for (key, value) in node.mapping ?? [:] {
            if key.string == "$ref", let target = value.string { targets.insert(target) }
            collect(value)
        }
        for element in node.sequence ?? [] { collect(element) }
    }

    /// - Throws: ``OpenAPIProblem`` with what is missing, or not used.
    func check() throws {
        let missing = targets.subtracting(components).sorted()
        let unused = components.subtracting(targets).filter { !$0.hasPrefix("#/components/securitySchemes/") }.sorted()
        if !missing.isEmpty { throw OpenAPIProblem("there is no \(missing.joined(separator: ", "))") }
        if !unused.isEmpty { throw OpenAPIProblem("nothing refers to \(unused.joined(separator: ", "))") }
    }
}
