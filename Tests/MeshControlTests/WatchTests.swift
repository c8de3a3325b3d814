import Documents
import MeshControl
import MeshCore
import MeshFeed
import MeshIdentity
import MeshModel
import MeshStore
import Postgres
import TestSupport
import Testing

@Suite("A watch tells what is there, and then each change once", .timeLimit(.minutes(2)))
struct WatchTests {
    private static let shop = ObjectScope(ControlFixture.mesh, namespace: .known("shop"))

    /// Gives `body` a watch of the services of `shop`, and a way to tell its replica that there is something new.
    private static func watch(
        _ fixture: ControlFixture, _ kind: Kind = .service, after revision: Revision? = nil,
        labels: [(name: String, value: String)] = [],
        _ body: (WatchReader, (ChangeSignals.Signal) async throws -> Void) async throws -> Void
    ) async throws {
        let watcher = fixture.replica()
        let signals = AsyncStream.makeStream(of: ChangeSignals.Signal.self)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await watcher.control.feeds.run(signals: signals.stream) }
            defer { group.cancelAll() }
            let watch = try await watcher.control.watch(
                kind, in: shop, labels: labels, after: revision, by: .of(.viewer))
            try await body(watch.reader) { signal in
                signals.continuation.yield(signal)
                for await _ in watch.wakeups { return }
            }
        }
    }

    /// Everything that there is to tell now: `changed a`, `deleted a`, `conditions a`.
    private static func rest(_ reader: inout WatchReader) async throws -> [String] {
        var lines: [String] = []
        while let entries = try await reader.next() { lines += entries.map(line) }
        return lines
    }

    private static func line(_ entry: FeedEntry) -> String {
        switch entry.item {
        case .object(let object): "\(entry.isOfConditions ? "conditions" : "changed") \(object.key.name)"
        case .deletedObject(let key): "deleted \(key.name)"
        default: "proxy"
        }
    }

    private static func put(_ fixture: ControlFixture, _ names: String..., labels: JSONValue = [:]) async throws {
        for name in names {
            try await fixture.put(
                "shop/services/\(name)", ControlFixture.service(), metadata: ["labels": labels])
        }
    }

    @Test("first what is there, then what happens, of its list alone")
    func changes() async throws {
        try await ControlFixture.runPrepared { fixture in
            try await Self.put(fixture, "a")
            try await Self.watch(fixture) { reader, tell in
                var reader = reader
                #expect(try await Self.rest(&reader) == ["changed reviews", "changed a"])
                try await Self.put(fixture, "b")
                #expect(try await Self.rest(&reader) == [], "nobody has told it")
                try await tell(.changed(ControlFixture.mesh))
                #expect(try await Self.rest(&reader) == ["changed b"])
                try await fixture.delete("shop/services/a")
                try await fixture.put("ops/services/c", ControlFixture.service())
                try await fixture.put("shop/destinationRules/b", ["host": "b"])
                try await tell(.changed(ControlFixture.mesh))
                #expect(try await Self.rest(&reader) == ["deleted a"])
                try await fixture.put("ops/services/d", ControlFixture.service())
                try await tell(.changed(ControlFixture.mesh))
                #expect(try await Self.rest(&reader) == [])
                try await Self.put(fixture, "e")
                try await tell(.changed(ControlFixture.mesh))
                #expect(try await Self.rest(&reader) == ["changed e"])
            }
        }
    }

    @Test("who was told pages that it did not take reads what it missed, and nothing twice")
    func gaps() async throws {
        try await ControlFixture.runPrepared { fixture in
            try await Self.watch(fixture) { reader, tell in
                var reader = reader
                // Read by the reader itself, as it was written before the first look.
                try await Self.put(fixture, "a")
                #expect(try await Self.rest(&reader) == ["changed reviews", "changed a"])
                try await Self.put(fixture, "b")
                try await tell(.changed(ControlFixture.mesh))
                #expect(try await Self.rest(&reader) == ["changed b"], "the page has the first one, too")
                for name in ["c", "d", "e"] {
                    try await Self.put(fixture, name)
                    try await tell(.changed(ControlFixture.mesh))
                }
                #expect(try await Self.rest(&reader) == ["changed c", "changed d", "changed e"])
                // A page that it has already is no news.
                try await Self.put(fixture, "f")
                try await tell(.changed(ControlFixture.mesh))
                var other = reader
                #expect(try await Self.rest(&other) == ["changed f"])
                #expect(try await Self.rest(&other) == [])
            }
        }
    }

    @Test("what is handed to all who watch nobody reads for itself")
    func shared() async throws {
        try await ControlFixture.runPrepared { fixture in
            try await Self.watch(fixture) { reader, tell in
                var reader = reader
                #expect(try await Self.rest(&reader) == ["changed reviews"])
                try await Self.put(fixture, "a")
                try await tell(.changed(ControlFixture.mesh))
                fixture.store.pool.close()
                let entries = try await reader.next()
                #expect(entries?.map(Self.line) == ["changed a"])
            }
        }
    }

    @Test("who comes back is told what it missed")
    func resumed() async throws {
        try await ControlFixture.runPrepared { fixture in
            let seen = try await fixture.fetch("shop/services/reviews/endpoints/e2").revision
            try await Self.put(fixture, "a", "b")
            try await fixture.delete("shop/services/a")
            try await Self.watch(fixture, after: seen) { reader, _ in
                var reader = reader
                #expect(try await Self.rest(&reader) == ["changed b", "deleted a"])
                let revision = try await fixture.store.meshRevision(ControlFixture.mesh)
                #expect(reader.revision == revision)
            }
            let newest = try await fixture.store.meshRevision(ControlFixture.mesh)
            try await Self.watch(fixture, after: newest) { reader, _ in
                var reader = reader
                let nothing = try await Self.rest(&reader)
                #expect(nothing == [])
            }
        }
    }

    @Test("an object that loses the labels that are asked for is gone from the list")
    func labels() async throws {
        try await ControlFixture.runPrepared { fixture in
            try await Self.put(fixture, "a", labels: ["tier": "back"])
            try await Self.watch(fixture, labels: [("tier", "back")]) { reader, tell in
                var reader = reader
                #expect(try await Self.rest(&reader) == ["changed a"])
                try await Self.put(fixture, "a", labels: ["tier": "front"])
                try await tell(.changed(ControlFixture.mesh))
                #expect(try await Self.rest(&reader) == ["deleted a"])
            }
        }
    }

    @Test("a list that is longer than a page is told whole, from the beginning and from the feed")
    func pages() async throws {
        try await ControlFixture.runPrepared { fixture in
            let before = try await fixture.store.meshRevision(ControlFixture.mesh)
            for batch in 0..<3 {
                _ = try await fixture.store.write(
                    tenant: ControlFixture.acme, mesh: .defaultMesh, actor: "test", requestId: "r"
                ) { transaction in
                    for number in 0..<150 {
                        _ = try await transaction.put(
                            ControlFixture.key("shop/services/s\(batch)-\(number)"), metadata: ObjectLabels(),
                            spec: ControlFixture.service())
                    }
                }
            }
            for (revision, count) in [(nil, 451), (before, 450)] {
                try await Self.watch(fixture, after: revision) { reader, _ in
                    var reader = reader
                    let all = try await Self.rest(&reader)
                    #expect(all.count == count && Set(all).count == count)
                }
            }
        }
    }

    @Test("conditions that change without their object are told, but for those that came with it")
    func conditions() async throws {
        let mesh = ControlFixture.mesh
        try await ControlFixture.runPrepared { fixture in
            func find(_ names: [String], _ message: String) async throws {
                let revision = try #require(try await fixture.store.meshRevision(mesh))
                let state = try #require(try await fixture.store.leaseConditions(of: mesh, to: "r1", for: .seconds(60)))
                let condition = ObjectCondition(type: "Accepted", isTrue: false, reason: "Conflict", message: message)
                let objects = try names.map { (try ControlFixture.key("shop/services/\($0)"), [condition]) }
                let changes = ConditionChanges(
                    of: mesh, foundAt: revision, revision: revision,
                    objects: Dictionary(uniqueKeysWithValues: objects))
                #expect(
                    try await fixture.store.write(changes, from: "compiler", by: "r1", after: state.sequence) != nil)
            }
            try await find(["reviews"], "one")
            try await Self.watch(fixture) { reader, tell in
                var reader = reader
                #expect(try await Self.rest(&reader) == ["changed reviews"], "with its conditions")
                try await find(["reviews"], "two")
                try await tell(.conditions(mesh))
                #expect(try await Self.rest(&reader) == ["conditions reviews"])
                #expect(try await Self.rest(&reader) == [])
                // Of an object that the reader has not been told of.
                try await Self.put(fixture, "a")
                try await find(["a"], "three")
                try await tell(.conditions(mesh))
                #expect(try await Self.rest(&reader) == [])
                try await tell(.changed(mesh))
                #expect(try await Self.rest(&reader) == ["changed a"])
            }
            // Their changes have no ids, so who comes back is told of all that may have changed.
            let newest = try await fixture.store.meshRevision(mesh)
            try await Self.watch(fixture, after: newest) { reader, _ in
                var reader = reader
                let told = try await Self.rest(&reader)
                #expect(told.sorted() == ["conditions a", "conditions reviews"])
            }
            try await Self.watch(fixture, .virtualService, after: newest) { reader, _ in
                var reader = reader
                let nothing = try await Self.rest(&reader)
                #expect(nothing == [], "of another list")
            }
        }
    }

    @Test("is for who may list, of something that there is")
    func refused() async throws {
        try await ControlFixture.runPrepared { fixture in
            func answer(_ scope: ObjectScope, by caller: Caller = .of(.viewer)) async throws -> String {
                try await refusal {
                    try await fixture.control.watch(.service, in: scope, labels: [], after: nil, by: caller)
                }
            }
            let blue = MeshKey(tenant: ControlFixture.acme, mesh: .known("blue"))
            let there = try await answer(Self.shop)
            #expect(there == "accepted")
            #expect(try await answer(ObjectScope(blue)) == "not found: mesh blue")
            #expect(
                try await answer(Self.shop, by: .of(.viewer, namespaces: [.known("ops")])) == "forbidden: services.read"
            )
            #expect(
                try await refusal {
                    try await fixture.control.watchProxies(
                        of: ControlFixture.mesh, namespace: nil, after: nil,
                        by: .of(.viewer, namespaces: [.known("ops")]))
                } == "forbidden: proxies.read")
            let ahead = try await refusal {
                try await fixture.control.watch(.service, in: Self.shop, labels: [], after: 1 << 40, by: .of(.viewer))
            }
            #expect(ahead == "gone")
        }
    }
}
