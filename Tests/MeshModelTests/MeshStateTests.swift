import Documents
import GrayRelease
import MeshCore
import MeshFixtures
import MeshModel
import Testing

@Suite("The state of a mesh takes in what is different, and says what has to be looked at again")
struct MeshStateTests {
    private static func mesh() throws -> MeshKey { MeshKey(tenant: try MeshDocument.name("acme"), mesh: .defaultMesh) }

    private static func object(
        _ key: ObjectKey, _ spec: JSONValue, status: JSONValue = [:], revision: Revision = 1
    ) -> StoredObject {
        StoredObject(
            key: key, uid: "", generation: 1, revision: revision, metadata: ObjectLabels(),
            createTime: Timestamp(microseconds: 0), updateTime: Timestamp(microseconds: 0), spec: spec, status: status)
    }

    private static func service(_ name: String, _ port: Int64 = 80) throws -> StoredObject {
        object(
            .namespaced(.service, try MeshDocument.namespaced(name), in: try mesh()),
            ["ports": [["name": "http", "port": .integer(port)]]])
    }

    private static func endpoint(_ service: String, _ name: String, proxy: String? = nil) throws -> StoredObject {
        var spec: [String: JSONValue] = ["cluster": "dev", "address": "10.0.0.1"]
        spec["sidecar"] = proxy.map { ["proxy": .string($0), "workloadPorts": ["http": 8080]] }
        return object(
            .endpoint(try MeshDocument.name(name), of: try MeshDocument.namespaced(service), in: try mesh()),
            .object(spec))
    }

    private static func cluster(_ name: String, _ mesh: JSONValue?) throws -> StoredObject {
        var spec: [String: JSONValue] = ["kind": "universal"]
        spec["mesh"] = mesh
        return object(.cluster(try MeshDocument.name(name), of: try Self.mesh().tenant), .object(spec))
    }

    private static func changes(_ change: MeshChange) -> [String] {
        change.kinds.flatMap { kind in change[kind].map { "\(kind) \($0)" } }.sorted()
            + (change.everything ? ["all"] : [])
    }

    private static func apply(
        _ objects: [StoredObject], deleted: [ObjectKey] = [], to state: inout MeshState
    ) throws -> [String] {
        changes(state.apply(objects.inputs(for: try mesh()), deleted: deleted))
    }

    @Test("an object that is new, says something else, or is gone; not one that says the same")
    func objects() throws {
        var state = MeshState(mesh: try Self.mesh())
        let (a, b) = (try Self.service("shop/a"), try Self.service("shop/b"))
        #expect(try Self.apply([a, b], to: &state) == ["Service shop/a", "Service shop/b"])
        #expect(try Self.apply([a, try Self.service("shop/b", 81)], to: &state) == ["Service shop/b"])
        #expect(state.services[try MeshDocument.namespaced("shop/b")]?.spec.port(81) != nil)
        #expect(try Self.apply([], deleted: [a.key], to: &state) == ["Service shop/a"])
        #expect(try Self.apply([], deleted: [a.key], to: &state) == [])
        #expect(state.services.count == 1 && !state.services.isEmpty)
    }

    @Test("one that cannot be read stays as it was")
    func unreadable() throws {
        var state = MeshState(mesh: try Self.mesh())
        let good = try Self.service("shop/a")
        _ = try Self.apply([good], to: &state)
        #expect(try Self.apply([Self.object(good.key, ["ports": 1])], to: &state) == [])
        #expect(state.services.count == 1)
    }

    @Test("children by their parent, which is named when one of them changes, and is nothing without any")
    func children() throws {
        var state = MeshState(mesh: try Self.mesh())
        let (e1, e2) = (try Self.endpoint("shop/a", "e1"), try Self.endpoint("shop/a", "e2"))
        #expect(try Self.apply([e1, e2], to: &state) == ["Endpoint shop/a"])
        #expect(try Self.apply([e1, e2], to: &state) == [])
        let a = try MeshDocument.namespaced("shop/a")
        #expect(state.endpoints[a]?.keys.map(\.text).sorted() == ["e1", "e2"])
        #expect(try Self.apply([], deleted: [e1.key], to: &state) == ["Endpoint shop/a"])
        #expect(state.endpoints[a]?.count == 1)
        #expect(try Self.apply([], deleted: [e2.key], to: &state) == ["Endpoint shop/a"])
        #expect(state.endpoints[a] == nil)
    }

    @Test("a cluster concerns everything, if it is one of the mesh or was")
    func clusters() throws {
        var state = MeshState(mesh: try Self.mesh())
        func clusters() -> [String] { state.enabledClusters.map(\.text).sorted() }
        #expect(try Self.apply([Self.cluster("a", nil)], to: &state) == [])
        #expect(
            try Self.apply([Self.cluster("b", ["enabled": true, "mesh": "blue"])], to: &state) == [], "another mesh's")
        #expect(try Self.apply([Self.cluster("c", ["enabled": false])], to: &state) == [])
        #expect(try Self.apply([Self.cluster("d", ["enabled": true])], to: &state) == ["all"])
        #expect(clusters() == ["d"])
        #expect(try Self.apply([Self.cluster("d", ["enabled": true])], to: &state) == [])
        #expect(try Self.apply([Self.cluster("d", ["enabled": false])], to: &state) == ["all"])
        #expect(clusters() == [])
    }

    @Test("the difference of two states has what one of both has only, and what they have differently")
    func differences() throws {
        var old = MeshState(mesh: try Self.mesh())
        _ = try Self.apply(
            [
                try Self.service("shop/a"), try Self.service("shop/b"), try Self.service("shop/c"),
                try Self.endpoint("shop/a", "e1"),
            ],
            to: &old)
        var new = old
        #expect(old.change(to: new).isEmpty)
        _ = try Self.apply(
            [try Self.service("shop/b", 81), try Self.service("shop/d"), try Self.endpoint("shop/a", "e2")],
            deleted: [try Self.service("shop/c").key], to: &new)
        let expected = ["Endpoint shop/a", "Service shop/b", "Service shop/c", "Service shop/d"]
        #expect(Self.changes(old.change(to: new)) == expected)
        #expect(Self.changes(new.change(to: old)) == expected)
        #expect(Self.changes(old.change(to: new, of: [.endpoint, .release])) == ["Endpoint shop/a"])
        var enabled = old
        enabled.enabledClusters = [try MeshDocument.name("dev")]
        #expect(Self.changes(old.change(to: enabled)) == ["all"])
        #expect(Self.changes(enabled.change(to: enabled)) == [])
    }

    @Test("what objects mention is told, but for those that are the same in another state")
    func mentions() throws {
        let a = try MeshDocument.namespaced("shop/a")
        var old = MeshState(mesh: try Self.mesh())
        let rule = Self.object(.namespaced(.destinationRule, a, in: try Self.mesh()), ["host": "a"])
        _ = try Self.apply(
            [rule, try Self.endpoint("shop/a", "e1", proxy: "p"), try Self.endpoint("shop/a", "e2", proxy: "q")],
            to: &old)
        func mentions(_ kind: Kind, _ state: MeshState, differentIn other: MeshState? = nil) -> [String] {
            state.mentions(of: a, kind, differentIn: other).map { "\($0.object.child?.text ?? "-") \($0.mention)" }
                .sorted()
        }
        #expect(mentions(.destinationRule, old).count == 1)
        #expect(mentions(.destinationRule, old, differentIn: old) == [])
        #expect(mentions(.endpoint, old).map { $0.prefix(2) } == ["e1", "e2"])
        var new = old
        _ = try Self.apply([try Self.endpoint("shop/a", "e2", proxy: "r")], to: &new)
        #expect(mentions(.endpoint, new, differentIn: old).map { $0.prefix(2) } == ["e2"])
        #expect(mentions(.endpoint, old, differentIn: new).map { $0.prefix(2) } == ["e2"])
        #expect(old.names(of: .endpoint) == [a] && old.names(of: .service) == [])
    }
}
