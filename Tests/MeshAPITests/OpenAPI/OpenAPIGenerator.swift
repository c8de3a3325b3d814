import Documents
import HTTPTypes
import MeshControl
import MeshCore
import MeshModel
import Yams

@testable import MeshAPI

/// Makes the OpenAPI document of the routes, of the table of kinds, and of an overlay that is written by hand.
///
/// Routes say where an operation is, what it takes and who may call it; from that follow its parameters and all answers that
/// come about before its use case. The table says what the six operations of a kind are, and the declarations of its fields what
/// its objects look like. The overlay has the prose and whatever else is particular (``OpenAPIOverlay``).
struct OpenAPIGenerator {
    let routes: [Route]
    let overlay: OpenAPIOverlay

    func document() throws -> Node {
        try overlay.checkNames(operations: Set(routes.map(\.operation)), kinds: Set(kinds.all.map(\.name)))
        var members = overlay.head
        members.append((Node("paths"), try paths()))
        members.append((Node("components"), try components()))
        let document = Node(members)
        try OpenAPIReferences(document).check()
        return document
    }

    /// The file's text. Its second line says that it is made.
    func text() throws -> String {
        let made =
            "# Made by `make golden` of the routes (Sources/MeshAPI), the kinds and their fields (Sources/MeshModel/Kinds) and overlay.yaml.\n"
        let lines = try serialize(node: document(), width: 120, allowUnicode: true)
            .split(separator: "\n", maxSplits: 1, omittingEmptySubsequences: false)
        return lines.joined(separator: "\n" + made)
    }

    // MARK: Paths

    private func paths() throws -> Node {
        let items = Dictionary(grouping: routes, by: \.template).sorted { $0.key < $1.key }
        return Node(
            try items.map { template, routes in
                let parameters = template.matches(of: /\{([a-zA-Z]+)\}/).map {
                    Node.reference("parameters", String($0.output.1))
                }
                let shared = parameters.isEmpty ? [] : [(Node("parameters"), Node(parameters))]
                return (
                    Node(template),
                    Node(shared + (try routes.map { (Node($0.method.rawValue.lowercased()), try operation($0)) }))
                )
            })
    }

    private func operation(_ route: Route) throws -> Node {
        let kind = KindOperation(route)
        let said = overlay.operations[route.operation] ?? OpenAPIOverlay.Operation()
        guard let tag = said.tag ?? kind?.tag, let summary = said.summary ?? kind?.summary else {
            throw OpenAPIProblem("operation \(route.operation) needs a tag and a summary")
        }
        var members: [(Node, Node)] = [
            (Node("operationId"), Node(route.operation)), (Node("tags"), Node([Node(tag)], .implicit, .flow)),
            (Node("summary"), Node(summary)),
        ]
        if let description = said.description { members.append((Node("description"), description)) }
        if case .open = route.access { members.append((Node("security"), Node([] as [Node], .implicit, .flow))) }
        if case .needs(let permission) = route.access {
            members.append((Node("x-permission"), Node(permission.name)))
            if let kind, kind.verb == .put, kind.kind.info.roles.areSeparate {
                members.append((Node("x-permission-to-create"), Node(Permission.create(kind.kind).name)))
            }
        }
        let parameters = try parameters(route, said).map { Node.reference("parameters", $0) }
        if !parameters.isEmpty { members.append((Node("parameters"), Node(parameters))) }
        if let body = try body(route, said, kind) { members.append((Node("requestBody"), body)) }
        members.append((Node("responses"), try responses(route, said, kind)))
        return Node(members)
    }

    /// Names of components: one for each parameter of the query, and the headers that the method goes with.
    private func parameters(_ route: Route, _ said: OpenAPIOverlay.Operation) throws -> [String] {
        for name in said.parameters.keys where !route.query.contains(name) {
            throw OpenAPIProblem("operation \(route.operation) has no parameter \(name)")
        }
        var names = route.query.map { said.parameters[$0] ?? $0 }
        if route.isWatchable { names.append("lastEventId") }
        if route.isRecorded { names.append("idempotencyKey") }
        if isConditional(route, said) {
            names.append(route.method == .get ? "ifNoneMatchRead" : "ifMatch")
            if route.method == .put { names.append("ifNoneMatchWrite") }
        }
        return names
    }

    /// Whether an object's version can be a condition: of all changes of one, and of what is read where the overlay or the kind
    /// says so.
    private func isConditional(_ route: Route, _ said: OpenAPIOverlay.Operation) -> Bool {
        if let isSaid = said.isConditional { return isSaid }
        if route.method == .get { return KindOperation(route)?.verb == .get }
        return route.isWrite && !(route.method == .post && route.isOnCollection)
    }

    private func body(_ route: Route, _ said: OpenAPIOverlay.Operation, _ kind: KindOperation?) throws -> Node? {
        let isRequired: Bool
        switch route.body {
        case .none: return nil
        case .json(let required): isRequired = required
        case .mergePatch: isRequired = true
        }
        let isPatch = if case .mergePatch = route.body { true } else { false }
        let schema = said.body ?? Node(kind.map { isPatch ? "MergePatch" : $0.kind.name } ?? "EmptyObject")
        let reference = schema.string.map { Node.reference("schemas", $0) } ?? schema
        let content = Node([
            (Node(route.mediaType), Node([(Node("schema"), reference)], .implicit, .flow))
        ])
        let required = isRequired ? [(Node("required"), Node("true"))] : []
        return Node(required + [(Node("content"), content)])
    }

    private func responses(
        _ route: Route, _ said: OpenAPIOverlay.Operation, _ kind: KindOperation?
    ) throws -> Node {
        var names = kind?.responses ?? [:]
        names.merge(refusals(of: route, said)) { own, _ in own }
        for (status, name) in said.responses { names[status] = name }
        guard names.contains(where: { $0.key.hasPrefix("2") && $0.value != nil }) else {
            throw OpenAPIProblem("operation \(route.operation) needs an answer of success")
        }
        return Node(
            names.sorted { $0.key < $1.key }.compactMap { status, name in
                name.map { (Node(status, Tag(.str), .doubleQuoted), Node.reference("responses", $0)) }
            })
    }

    /// Answers that the server gives before or instead of the use case.
    private func refusals(of route: Route, _ said: OpenAPIOverlay.Operation) -> [String: String?] {
        var names: [String: String?] = ["414": "URLTooLong", "500": "Internal"]
        switch route.access {
        case .open: break
        case .authenticated:
            names["401"] = "Unauthenticated"
            names["503"] = "Unavailable"
        case .needs:
            for (status, name) in [
                ("400", "Invalid"), ("401", "Unauthenticated"), ("403", "Forbidden"), ("404", "NotFound"),
                ("503", "Unavailable"),
            ] {
                names[status] = name
            }
        }
        if case .none = route.body {
        } else {
            names["408"] = "BodyTimeout"
            names["413"] = "BodyTooLarge"
            names["415"] = "UnsupportedMediaType"
        }
        if route.isWrite { names["409"] = "Conflict" }
        if route.isRecorded { names["422"] = "IdempotencyMismatch" }
        if route.isWatchable {
            names["410"] = "Gone"
            names["429"] = "TooManyWatches"
        }
        if isConditional(route, said) {
            names[route.method == .get ? "304" : "412"] = route.method == .get ? "NotModified" : "Stale"
            if route.isWrite && route.method != .post { names["428"] = "PreconditionRequired" }
        }
        return names
    }

    // MARK: Components

    private func components() throws -> Node {
        let generated = [
            "parameters": kinds.all.map { kind in
                let name = kind.info.parameter
                let members = [
                    (Node("name"), Node(name)), (Node("in"), Node("path")), (Node("required"), Node("true")),
                    (Node("schema"), Node.reference("schemas", "Name")),
                ]
                return (Node(name), Node(members, .implicit, .flow))
            },
            "responses": try kinds.all.flatMap { [try response(of: $0), try listResponse(of: $0)] },
            "schemas": try kinds.all.map { (Node($0.name), try schema(of: $0)) }
                + (try DeclaredSchemas(kinds.all.map { $0.specType.schema }).schemas).map {
                    (Node($0.name), $0.schema.node)
                },
        ]
        return Node(
            try overlay.components.map { section, members in
                let names = Set(members.compactMap(\.0.string))
                let own = generated[section] ?? []
                for (name, _) in own where name.string.map(names.contains) ?? true {
                    throw OpenAPIProblem("\(section)/\(name.string ?? "") is made from the table of kinds")
                }
                return (Node(section), Node(own + members))
            })
    }

    private func response(of kind: Kind) throws -> (Node, Node) {
        (
            Node(kind.name),
            try Node.yaml(
                """
                description: The object as it is stored.
                headers:
                  ETag: { $ref: "#/components/headers/ETag" }
                  X-Request-Id: { $ref: "#/components/headers/RequestId" }
                content:
                  application/json: { schema: { $ref: "#/components/schemas/\(kind.name)" } }
                """)
        )
    }

    private func listResponse(of kind: Kind) throws -> (Node, Node) {
        let isWatchable = kind.scope != .platform
        let page = """
            content:
              application/json:
                schema:
                  type: object
                  required: [items]
                  properties:
                    items: { type: array, items: { $ref: "#/components/schemas/\(kind.name)" } }
                    nextPageToken: { $ref: "#/components/schemas/PageToken" }
            """
        let text =
            isWatchable
            ? """
            description: One page; or what is there and what happens to it from then on.
            \(page)
              text/event-stream: { schema: { $ref: "#/components/schemas/EventStream" } }
            """ : "description: One page.\n\(page)"
        return (Node("\(kind.name)List"), try Node.yaml(text))
    }

    private func schema(of kind: Kind) throws -> Node {
        let said = overlay.kinds[kind.name] ?? OpenAPIOverlay.KindEntry()
        let isSpecRequired = kind.specType.schema.members.contains { $0.presence == .required }
        return try Node.yaml(
            """
            type: object
            additionalProperties: false
            \(isSpecRequired ? "required: [spec]" : "")
            properties:
              apiVersion: { const: sluice/v1 }
              kind: { const: \(kind.name) }
              metadata: { $ref: "#/components/schemas/Metadata" }
              spec: { $ref: "#/components/schemas/\(kind.name)Spec" }
              status: { $ref: "#/components/schemas/\(said.status ?? "Status")" }
              warnings: { $ref: "#/components/schemas/Warnings" }
            """)
    }
}

extension Route {
    /// Whether it takes what goes with writes, `validateOnly` above all.
    fileprivate var isWrite: Bool { query.contains("validateOnly") }
    /// Whether an answer is kept for those who send the same call again.
    fileprivate var isRecorded: Bool { isWrite && method == .post }
    /// Whether it is about no object that is there already.
    fileprivate var isOnCollection: Bool { template.last != "}" && !template.contains(/:[a-zA-Z]+$/) }
}

/// What is generated, or was written by hand, does not go together.
struct OpenAPIProblem: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}

extension Node {
    static func reference(_ section: String, _ name: String) -> Node {
        let target = Node("#/components/\(section)/\(name)", Tag(.str), .doubleQuoted)
        return Node([(Node("$ref"), target)], .implicit, .flow)
    }

    static func yaml(_ text: String) throws -> Node {
        guard let node = try compose(yaml: text) else { throw OpenAPIProblem("no YAML: \(text)") }
        return node
    }
}
