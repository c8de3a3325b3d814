import Documents
import Foundation
import HTTPTypes
import MeshFixtures
import MeshModel
import Testing
import Yams

@testable import MeshAPI

@Suite("The OpenAPI document")
struct OpenAPITests {
    private static func document() throws -> [String: Any] {
        let text = String(decoding: ServedDocuments.openAPI, as: UTF8.self)
        return try #require(Yams.load(yaml: text) as? [String: Any])
    }

    private static func object(_ parent: [String: Any], _ name: String) -> [String: Any] {
        parent[name] as? [String: Any] ?? [:]
    }

    @Test("is made of the routes, the table of kinds and the overlay")
    func generated() async throws {
        let folder = Golden(Golden.tests.deletingLastPathComponent().appending(path: "openapi"))
        let overlay = try OpenAPIOverlay(
            yaml: String(decoding: try folder.input("overlay.yaml"), as: UTF8.self))
        try await Fixture.run { api in
            let generator = OpenAPIGenerator(routes: api.server.responder.routes.routes, overlay: overlay)
            try folder.expect(Data(try generator.text().utf8), in: "sluice-v1.yaml")
            try folder.expect(Data(FieldPage(kinds: kinds.all, overlay: overlay).text().utf8), in: "fields.md")
        }
    }

    @Test(
        "takes nothing from the overlay that is not asked for",
        arguments: [
            ("colour: red", "the overlay has the unknown key colour"),
            ("operations: { flyAway: {} }", "there is no operation flyAway"),
            ("operations: { getTenant: { sumary: x } }", "operations/getTenant has the unknown key sumary"),
            ("operations: { getTenant: { parameters: { page: x } } }", "operation getTenant has no parameter page"),
            ("kinds: { Gadget: {} }", "there is no kind Gadget"),
            ("kinds: { Tenant: { spec: x } }", "kinds/Tenant has the unknown key spec"),
            ("components: { schemas: { Tenant: {} } }", "schemas/Tenant is made from the table of kinds"),
            ("components: { schemas: {} }", "there is no "),
            ("operations: []", "operations is no mapping"),
        ])
    func overlay(yaml: String, problem: String) async throws {
        try await Fixture.run { api in
            // What every document needs besides.
            let routes = api.server.responder.routes.routes.filter { KindOperation($0) != nil }
            let error = #expect(throws: OpenAPIProblem.self) {
                try OpenAPIGenerator(routes: routes, overlay: OpenAPIOverlay(yaml: yaml)).document()
            }
            #expect(error?.description.hasPrefix(problem) == true, "\(error?.description ?? "")")
        }
    }

    @Test("has no part that nothing refers to")
    func unused() throws {
        let document = try Node.yaml("components: { schemas: { A: {}, B: { $ref: \"#/components/schemas/A\" } } }")
        let error = #expect(throws: OpenAPIProblem.self) { try OpenAPIReferences(document).check() }
        #expect(error?.description == "nothing refers to #/components/schemas/B")
    }

    @Test("has the router's operations, no more and no fewer, under the same names, with the same query parameters")
    func operations() async throws {
        let document = try Self.document()
        let parameters = Self.object(Self.object(document, "components"), "parameters")
        var described: [String: Set<String>] = [:]
        for (path, item) in Self.object(document, "paths") {
            for (method, operation) in item as? [String: Any] ?? [:] {
                guard method != "parameters", let operation = operation as? [String: Any] else { continue }
                let query = (operation["parameters"] as? [[String: Any]] ?? []).compactMap { reference -> String? in
                    let name = (reference["$ref"] as? String)?.split(separator: "/").last.map(String.init) ?? ""
                    let parameter = Self.object(parameters, name)
                    return parameter["in"] as? String == "query" ? parameter["name"] as? String : nil
                }
                let id = operation["operationId"] as? String ?? ""
                described["\(method.uppercased()) \(path) \(id)"] = Set(query)
            }
        }
        try await Fixture.run { api in
            let routed = api.server.responder.routes.routes.map {
                ("\($0.method.rawValue) \($0.template) \($0.operation)", Set($0.query))
            }
            let table = Dictionary(routed, uniquingKeysWith: { first, _ in first })
            #expect(table.count == routed.count, "two routes of one name")
            #expect(Set(table.keys).subtracting(described.keys).sorted() == [], "routes that the document lacks")
            #expect(Set(described.keys).subtracting(table.keys).sorted() == [], "operations that the router lacks")
            for (operation, query) in table {
                #expect(described[operation] == query, "\(operation)")
            }
            let served = try await api.get("/openapi.yaml", token: nil)
            #expect(served.text.hasPrefix("openapi: 3.1.0"))
        }
    }

    @Test("knows every property of the objects that are answered")
    func properties() async throws {
        let schemas = Self.object(Self.object(try Self.document(), "components"), "schemas")
        try await Fixture.run { api in
            try await api.prepare()
            #expect(try await api.send("PUT", Fixture.shop + "/releases/r", Fixture.release).status == 201)
            for (schema, path) in [
                ("Tenant", "/v1/tenants/acme"), ("Cluster", "/v1/tenants/acme/clusters/dev"),
                ("ClusterMesh", "/v1/tenants/acme/clusters/dev/mesh"), ("Service", Fixture.shop + "/services/reviews"),
                ("Endpoint", Fixture.shop + "/services/reviews/endpoints/e1"),
                ("Release", Fixture.shop + "/releases/r"),
            ] {
                let answer = try await api.get(path)
                #expect(
                    Self.unknown(answer.body, ["$ref": "#/components/schemas/\(schema)"], schemas, at: schema) == [])
            }
        }
    }

    /// Members of a document that its schema does not name.
    private static func unknown(
        _ value: JSONValue, _ schema: [String: Any], _ schemas: [String: Any], at path: String
    ) -> [String] {
        let name = (schema["$ref"] as? String)?.split(separator: "/").last.map(String.init)
        let schema = name.map { object(schemas, $0) } ?? schema
        switch value {
        case .array(let elements):
            return elements.flatMap { unknown($0, object(schema, "items"), schemas, at: path + "/-") }
        case .object(let members):
            guard let properties = schema["properties"] as? [String: Any] else { return [] }
            return members.sorted { $0.key < $1.key }.flatMap { name, member -> [String] in
                guard let property = properties[name] as? [String: Any] else { return ["\(path)/\(name)"] }
                return unknown(member, property, schemas, at: "\(path)/\(name)")
            }
        default: return []
        }
    }
}
