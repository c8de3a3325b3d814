import Documents
import Egress
import Foundation
import GrayRelease
import MeshControl
import MeshCore
import MeshFeed
import MeshIdentity
import MeshModel
import MeshStore
import Postgres
import StoreFixtures
import TestSupport
import Testing

/// The use cases on a database of their own.
///
/// Objects are named by their places: `tenants/acme`, `clusters/dev`, `shop/services/reviews`,
/// `shop/services/reviews/endpoints/e1`; what says nothing else is of the tenant `acme` and its mesh `default`.
struct ControlFixture: Sendable {
    static let admin = Caller.platformAdministrator
    static let acme = Name.known("acme")
    static let mesh = MeshKey(tenant: acme, mesh: .defaultMesh)

    let control: ControlPlane
    /// Of the same database, for what connects by itself.
    let database: StoreFixture
    var store: MeshStore { control.store }

    static func run(_ body: (ControlFixture) async throws -> Void) async throws {
        try await StoreFixture.run(connections: 4) { database in
            try await body(ControlFixture(database))
        }
    }

    /// As ``run(_:)``, with the objects that most tests begin with.
    static func runPrepared(_ body: (ControlFixture) async throws -> Void) async throws {
        try await run { fixture in
            try await fixture.prepare()
            try await body(fixture)
        }
    }

    /// - Parameter sealing: `nil`: a server that was given no key-encryption key.
    init(_ database: StoreFixture, sealing: KeyEncryptionKeys? = keys("k1"), egress: EgressClient? = nil) {
        self.database = database
        control = ControlPlane(
            store: database.store, feeds: FeedReader(store: database.store, logger: quietLogger), egress: egress,
            sealing: sealing, logger: quietLogger)
    }

    /// Key-encryption keys, each of which is what its id says.
    static func keys(_ ids: String...) -> KeyEncryptionKeys? {
        let lines = ids.map { "\($0):" + Data(repeating: UInt8($0.utf8.last ?? 0), count: 32).base64EncodedString() }
        return try? KeyEncryptionKeys(Secret(lines.joined(separator: "\n")))
    }

    /// Another replica, which has read nothing yet.
    func replica() -> ControlFixture { ControlFixture(database) }

    /// A tenant, a cluster on which the mesh is enabled, and the service `reviews` with an endpoint a version.
    func prepare() async throws {
        try await put("tenants/acme", [:])
        try await put("clusters/dev", ["kind": "universal", "mesh": ["enabled": true]])
        try await put("shop/services/reviews", Self.service())
        try await put("shop/services/reviews/endpoints/e1", Self.endpoint("v1", 18_081))
        try await put("shop/services/reviews/endpoints/e2", Self.endpoint("v2", 18_082))
    }
}

// MARK: Documents

extension ControlFixture {
    static func service(_ versions: [JSONValue] = ["v1", "v2"], ports: [Int] = [9080]) -> JSONValue {
        [
            "ports": .array(ports.map { ["name": .string("p\($0)"), "port": .integer(Int64($0))] }),
            "versions": .array(versions.map { $0.stringValue == nil ? $0 : ["name": $0] }),
        ]
    }

    static func endpoint(_ version: String? = nil, _ port: Int64 = 18_080, cluster: String = "dev") -> JSONValue {
        var spec: [String: JSONValue] = [
            "cluster": .string(cluster), "address": "127.0.0.1", "ports": ["p9080": .integer(port)],
        ]
        spec["version"] = version.map(JSONValue.string)
        return .object(spec)
    }

    /// Rules for one host, a rule for each destination.
    static func rules(_ host: String, to destinations: JSONValue...) -> JSONValue {
        ["hosts": [.string(host)], "http": .array(destinations.map { ["route": [["destination": $0]]] })]
    }

    static func release(_ changes: [String: JSONValue] = [:]) -> JSONValue {
        let spec: [String: JSONValue] = [
            "service": "reviews", "stable": ["version": "v1"], "canary": ["version": "v2"],
            "strategy": ["type": "canary", "steps": [["setWeight": 2000], ["pause": [:]], ["setWeight": 10_000]]],
        ]
        return .object(spec.merging(changes) { $1 })
    }
}

// MARK: Calls

extension ControlFixture {
    /// The key of a place.
    static func key(_ place: String, of tenant: Name = acme, mesh: Name = .defaultMesh) throws -> ObjectKey {
        let parts = place.split(separator: "/").map(String.init)
        let plural = parts.count > 1 ? parts[parts.count - 2] : ""
        let kind = try #require(kinds.all.first { $0.info.plural == plural }, "\(place)")
        let name = try #require(Name(parts[parts.count - 1]))
        let scope = ObjectScope(
            tenant: tenant, mesh: mesh, namespace: Name(parts[0]), service: parts.count > 4 ? Name(parts[2]) : nil)
        return try #require(scope.key(kind, name), "\(place)")
    }

    /// Where the object of a key stands.
    static func scope(of key: ObjectKey) -> ObjectScope {
        key.kind == .tenant
            ? ObjectScope()
            : ObjectScope(tenant: key.tenant, mesh: key.mesh, namespace: key.namespace, service: key.service)
    }

    /// Changes an object.
    func change(
        _ key: ObjectKey, _ change: ObjectChange, _ options: WriteOptions = WriteOptions(requestId: "r"),
        by caller: Caller = admin, recording record: (@Sendable (WrittenObject) -> StoredAnswer)? = nil
    ) async throws -> Outcome<WrittenObject> {
        var name: Name? = key.name
        if case .create = change { name = nil }
        return try await control.write(
            key.kind, name, in: Self.scope(of: key), change, options, by: caller, recording: record)
    }

    /// Writes an object, whether it is there or not.
    @discardableResult
    func put(
        _ place: String, _ spec: JSONValue, metadata: JSONValue = [:], mesh: Name = .defaultMesh,
        validateOnly: Bool = false, by caller: Caller = admin
    ) async throws -> WrittenObject {
        let key = try Self.key(place, mesh: mesh)
        let isThere = try await store.fetch(key) != nil
        let options = WriteOptions(
            precondition: isThere ? .present : .absent, validateOnly: validateOnly, requestId: "r")
        return try await change(key, .replace(["metadata": metadata, "spec": spec]), options, by: caller).value()
    }

    func delete(
        _ place: String, mesh: Name = .defaultMesh, validateOnly: Bool = false, by caller: Caller = admin
    ) async throws {
        let options = WriteOptions(precondition: .present, validateOnly: validateOnly, requestId: "r")
        try await control.delete(Self.key(place, mesh: mesh), options, by: caller)
    }

    func fetch(_ place: String, by caller: Caller = admin) async throws -> StoredObject {
        try await control.fetch(Self.key(place), by: caller)
    }

    func isThere(_ place: String) async throws -> Bool { try await store.fetch(Self.key(place)) != nil }

    /// Writes what no use case would let through: an object as an earlier server may have left it.
    func store(_ place: String, _ spec: JSONValue, mesh: Name = .defaultMesh) async throws {
        let key = try Self.key(place, mesh: mesh)
        _ = try await store.write(tenant: key.tenant, mesh: key.mesh, actor: "test", requestId: "r") {
            try await $0.put(key, metadata: ObjectLabels(), spec: spec)
        }
    }

    /// Changes rows behind everybody's back.
    func execute(_ statement: String) async throws {
        try await store.pool.execute(script: "SELECT set_config('sluice.tenant', '*', true); \(statement)")
    }

    /// Waits until some session of the database waits for a lock, or somebody is done.
    func untilSomebodyWaits(or isDone: Counter) async throws {
        try await until("somebody waits for a lock") {
            let waiting = try await store.pool.query(
                "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'")
            return waiting.count > 0 || isDone.value > 0
        }
    }

    /// Writes what the server itself says of an object.
    func putStatus(_ place: String, _ status: JSONValue) async throws {
        let key = try Self.key(place)
        _ = try await store.write(tenant: key.tenant, mesh: key.mesh, actor: "test", requestId: "r") {
            try await $0.putStatus(key, status)
        }
    }
}

// MARK: Writes at the same moment

extension ControlFixture {
    /// What the writer of an object is told who comes while somebody else, who holds a third object, writes another one.
    func answer(
        _ place: String, _ spec: JSONValue, beside other: String, _ otherSpec: JSONValue, holding held: String
    ) async throws -> String {
        let (otherKey, heldKey) = (try Self.key(other), try Self.key(held))
        return try await withThrowingTaskGroup(of: String.self) { group in
            let isDone = Counter()
            _ = try await store.write(
                tenant: otherKey.tenant, mesh: otherKey.mesh, actor: "test", requestId: "r"
            ) { transaction in
                try await transaction.lock([heldKey])
                group.addTask {
                    defer { isDone.increment() }
                    return try await refusal { try await put(place, spec) }
                }
                try await untilSomebodyWaits(or: isDone)
                return try await transaction.put(otherKey, metadata: ObjectLabels(), spec: otherSpec)
            }
            return try await group.next() ?? "nothing"
        }
    }
}

// MARK: Answers

/// Why a call was refused, in one line: the case, and what scripts test for. `accepted` if it was not.
func refusal<Value>(of call: () async throws -> Value) async throws -> String {
    do {
        _ = try await call()
        return "accepted"
    } catch let error as ControlError {
        return error.line
    }
}

extension ControlError {
    fileprivate var line: String {
        switch self {
        case .invalid(let errors): "invalid: " + errors.map(\.line).joined(separator: ", ")
        case .notFound(let what): "not found: \(what)"
        case .forbidden(let permission): "forbidden: \(permission.name)"
        case .forbiddenThere(let permission, let namespace, let pointer):
            "forbidden: \(permission.name) in \(namespace) at \(pointer)"
        case .conflict(let conflict): "conflict: \(conflict.line)"
        case .owned(let conflict): "owned: \(conflict.line)"
        case .stale(let version): version == nil ? "stale: nothing is there" : "stale"
        case .preconditionRequired: "precondition required"
        case .idempotencyMismatch: "idempotency mismatch"
        case .gone: "gone"
        case .unavailable: "unavailable"
        case .noKeyEncryptionKey: "no key-encryption key"
        case .busy(let limit, _): "busy: \(limit.name)"
        case .fault(let text): "fault: \(text)"
        }
    }
}

extension ControlError.Conflict {
    /// The code, and who it is with.
    fileprivate var line: String {
        let others = (members["usedBy"]?.arrayValue ?? []) + [members["owner"]].compactMap(\.self)
        let names = others.map { other in
            ["namespace", "service", "name"].compactMap { other[$0]?.stringValue }.joined(separator: "/")
        }
        return ([code] + names).joined(separator: " ")
    }
}

extension Violation {
    /// `pointer code`.
    var line: String { "\(pointer) \(code)" }
}

extension WrittenObject {
    /// `pointer code` of each warning.
    var warned: [String] { warnings.map(\.line) }
}

extension Outcome {
    /// What was done now.
    func value() throws -> Value {
        guard case .done(let value) = self else {
            Issue.record("an earlier answer was replayed")
            throw CancellationError()
        }
        return value
    }
}

extension Name {
    /// A name that a test writes down.
    static func known(_ text: String) -> Name {
        guard let name = Name(text) else { preconditionFailure("\(text) is no name") }
        return name
    }
}

extension Caller {
    /// Somebody of the tenant `acme`.
    static func of(
        _ role: Role, tenant: String = "acme", meshes: Set<Name> = [], namespaces: Set<Name> = []
    ) -> Caller {
        Caller(description: "test", role: role, tenant: .known(tenant), meshes: meshes, namespaces: namespaces)
    }
}
