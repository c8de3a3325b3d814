import Documents
import MeshCore
import MeshFixtures
import MeshModel
import Testing

@testable import MeshCompiler

@Suite("Which definition of a host a namespace means")
struct HostDefinitionsTests {
    private static func name(_ text: String) throws -> Name { try MeshDocument.name(text) }

    /// Definitions `namespace/name` of one host, each with the time of its creation and whom it is for: `*`, `.` or namespaces.
    private static func definitions(_ all: [(name: String, created: Int64, export: [String])]) throws -> HostDefinitions
    {
        HostDefinitions(
            try all.map { entry in
                let object = try MeshDocument.namespaced(entry.name)
                let namespaces = try entry.export.filter { $0 != "*" }.map {
                    $0 == "." ? object.namespace : try name($0)
                }
                let host = DefinedHost(
                    "a.example.com", at: .spec, ports: [], members: .addresses([]),
                    export: entry.export.contains("*") ? .everybody : .namespaces(Set(namespaces)),
                    createTime: Timestamp(microseconds: entry.created))
                return HostDefinition(.serviceEntry, object, host)
            })
    }

    private static func seen(
        _ definitions: HostDefinitions, from namespace: String, owner: String? = nil
    ) throws -> String? {
        definitions.seen(from: try name(namespace), owner: try owner.map { try name($0) }).map { "\($0.object)" }
    }

    private static func visibility(
        _ definitions: HostDefinitions, of namespace: String, owner: String? = nil
    ) throws -> String {
        let (visibility, rival) = definitions.visibility(
            of: try name(namespace), owner: try owner.map { try name($0) })
        let who =
            switch visibility {
            case .only(let namespaces): "only \(namespaces.sorted().map(\.text))"
            case .all(let others): "all but \(others.sorted().map(\.text))"
            }
        return rival.map { "\(who), \($0.object)" } ?? who
    }

    @Test("in each namespace the oldest holds, and of those created together the first by name")
    func holding() throws {
        let definitions = try Self.definitions([
            ("ops/b", 2, ["*"]), ("ops/a", 2, ["*"]), ("ops/c", 3, ["*"]), ("shop/z", 9, ["."]),
        ])
        #expect(definitions[try Self.name("ops")]?.object.name.text == "a")
        #expect(definitions[try Self.name("shop")]?.object.name.text == "z")
        #expect(definitions[try Self.name("pay")] == nil)
        #expect(definitions.others.map(\.object.name.text) == ["b", "c"] && definitions.count == 4)
        #expect(HostDefinitions.none.isEmpty && HostDefinitions.none.count == 0 && !definitions.isEmpty)
        let one = try Self.definitions([("ops/a", 1, ["."])])
        #expect(one.count == 1 && one.others.isEmpty)
    }

    @Test("a namespace means its own, or else the oldest of those that are there for it")
    func seen() throws {
        let definitions = try Self.definitions([
            ("pay/private", 1, ["."]), ("ops/shared", 2, ["shop"]), ("lab/open", 3, ["*"]), ("shop/own", 9, ["."]),
            ("lab/late", 0, ["."]), ("web/none", 1, ["db"]),
        ])
        #expect(try Self.seen(definitions, from: "shop") == "shop/own")
        #expect(try Self.seen(definitions, from: "pay") == "pay/private")
        // The older one of `lab` is for itself alone, and it holds there.
        #expect(try Self.seen(definitions, from: "lab") == "lab/late")
        #expect(try Self.seen(definitions, from: "db") == "web/none")
        #expect(try Self.seen(definitions, from: "else") == nil)
        let two = try Self.definitions([("ops/shared", 2, ["shop"]), ("lab/open", 3, ["*"])])
        #expect(try Self.seen(two, from: "shop") == "ops/shared")
        #expect(try Self.seen(two, from: "else") == "lab/open")
    }

    @Test("a service's name is its namespace's to define for others, and nobody else's")
    func owners() throws {
        let definitions = try Self.definitions([("ops/squat", 1, ["*"]), ("shop/own", 2, ["pay"])])
        #expect(try Self.seen(definitions, from: "ops", owner: "shop") == "ops/squat", "for itself it may")
        #expect(try Self.seen(definitions, from: "pay", owner: "shop") == "shop/own")
        #expect(try Self.seen(definitions, from: "web", owner: "shop") == nil, "the service is meant")
        #expect(try Self.seen(definitions, from: "web") == "ops/squat")
        #expect(try Self.visibility(definitions, of: "ops", owner: "shop") == #"only ["ops"]"#)
        #expect(try Self.visibility(definitions, of: "shop", owner: "shop") == #"only ["pay", "shop"]"#)
        let open = try Self.definitions([("ops/squat", 1, ["*"]), ("shop/own", 2, ["*"])])
        #expect(try Self.visibility(open, of: "shop", owner: "shop") == #"all but ["ops"]"#, "nobody is its rival")
    }

    @Test("one that is for all is not for those who have their own, or whom an older one is for")
    func open() throws {
        let alone = try Self.definitions([("ops/a", 1, ["*"])])
        #expect(try Self.visibility(alone, of: "ops") == "all but []")
        #expect(try Self.visibility(alone, of: "shop") == "only []")
        let beside = try Self.definitions([
            ("ops/a", 5, ["*"]), ("shop/b", 9, ["."]), ("pay/c", 1, ["web"]), ("lab/d", 9, ["db"]),
        ])
        #expect(try Self.visibility(beside, of: "ops") == #"all but ["lab", "pay", "shop", "web"]"#)
        let rival = try Self.definitions([("ops/a", 5, ["*"]), ("shop/b", 1, ["*"])])
        #expect(try Self.visibility(rival, of: "ops") == #"only ["ops"], shop/b"#)
        #expect(try Self.visibility(rival, of: "shop") == #"all but ["ops"]"#, "the younger one is nobody's rival")
    }

    @Test("one that is for some is not for those of them who have their own, or whom an older one is for")
    func some() throws {
        let definitions = try Self.definitions([
            ("ops/a", 5, ["shop", "web", "db"]), ("shop/b", 9, ["."]), ("pay/c", 1, ["web"]), ("lab/d", 9, ["db"]),
        ])
        #expect(try Self.visibility(definitions, of: "ops") == #"only ["db", "ops"], shop/b"#)
        let older = try Self.definitions([("ops/a", 5, ["web", "db"]), ("pay/c", 1, ["web"])])
        #expect(try Self.visibility(older, of: "ops") == #"only ["db", "ops"], pay/c"#)
        let alone = try Self.definitions([("ops/a", 5, ["web", "db"])])
        #expect(try Self.visibility(alone, of: "ops") == #"only ["db", "ops", "web"]"#)
        let own = try Self.definitions([("ops/a", 5, ["."]), ("pay/c", 1, ["*"])])
        #expect(try Self.visibility(own, of: "ops") == #"only ["ops"]"#)
        let both = try Self.definitions([("ops/a", 5, [".", "web"])])
        #expect(try Self.visibility(both, of: "ops") == #"only ["ops", "web"]"#)
    }
}
