import Documents
import MeshCore
import MeshModel
import MeshStore
import Prometheus
import StoreFixtures
import TestSupport

@testable import MeshFeed

/// A reader on a database with one tenant, and what it has read.
struct Fixture: Sendable {
    static let acme = name("acme")
    static let mesh = MeshKey(tenant: acme, mesh: .defaultMesh)
    static let feed = Feed.objects(tenant: acme, mesh: .defaultMesh)

    let store: MeshStore
    let reader: FeedReader
    private let metrics = PrometheusFactory(logger: quietLogger)

    static func run(_ body: (Fixture) async throws -> Void) async throws {
        try await StoreFixture.run { database in
            let fixture = Fixture(database.store)
            try await fixture.put(.tenant(acme))
            try await body(fixture)
        }
    }

    private init(_ store: MeshStore) {
        self.store = store
        reader = FeedReader(
            store: MeshStore(pool: store.pool, logger: quietLogger, metrics: metrics), logger: quietLogger)
    }

    /// How often the reader has read a piece of a feed of objects.
    var reads: Int {
        let line = metrics.text().split(separator: "\n").first { $0.hasPrefix("sluice_feed_reads_total ") }
        return line?.split(separator: " ").last.flatMap { Int($0) } ?? 0
    }

    func put(_ key: ObjectKey, _ spec: JSONValue = [:]) async throws {
        try await store.write(tenant: key.tenant, mesh: key.mesh, actor: "test", requestId: "r") { transaction in
            _ = try await transaction.put(key, metadata: ObjectLabels(), spec: spec)
        }
    }

    func delete(_ key: ObjectKey) async throws {
        try await store.write(tenant: key.tenant, mesh: key.mesh, actor: "test", requestId: "r") { transaction in
            try await transaction.delete(key)
        }
    }

    /// - Returns: the revision.
    @discardableResult
    func putService(_ service: String) async throws -> Revision {
        try await put(Self.service(service), ["ports": [["name": "http", "port": 9080]]])
        return try await revision()
    }

    func revision() async throws -> Revision { try await store.revision(of: Self.feed) }

    /// The inbox of a new watch of the mesh's objects, which has read all that there is.
    func watch() async throws -> WatchInbox {
        let inbox = WatchInbox()
        reader.add(inbox, to: Self.feed, at: try await revision())
        return inbox
    }

    static func service(_ text: String) -> ObjectKey {
        .namespaced(.service, NamespacedName(namespace: name("shop"), name: name(text)), in: mesh)
    }

    static func name(_ text: String) -> Name {
        guard let name = Name(text) else { preconditionFailure("\(text) is no name") }
        return name
    }
}

extension WatchInbox {
    /// What is new in the page that waits, for example `shop/reviews`.
    func takeNames() -> [Name]? {
        take().page?.entries.map { entry in
            switch entry.item {
            case .object(let object): object.key.name
            case .deletedObject(let key): key.name
            case .proxy(let proxy): proxy.name.name
            case .forgottenProxy(let proxy): proxy.name
            }
        }
    }
}
