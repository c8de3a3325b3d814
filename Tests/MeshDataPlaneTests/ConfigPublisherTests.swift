import Dispatch
import Documents
import MeshCore
import MeshFeed
import MeshModel
import MeshStore
import StoreFixtures
import Synchronization
import TestSupport
import Testing

@testable import MeshDataPlane
@testable import XDSServer

/// A publisher on a database, with a clock that stands still.
@Suite("Publishing", .timeLimit(.minutes(2)))
struct ConfigPublisherTests {
    private static func name(_ text: String) throws -> Name { try #require(Name(text)) }

    /// Keeps pushes from being written while it is shut.
    private final class Gate: Sendable {
        private struct State {
            var isShut = false
            var waiting: [CheckedContinuation<Void, Never>] = []
        }
        private let state = Mutex(State())

        func shut() { state.withLock { $0.isShut = true } }

        func open() {
            let waiting = state.withLock { state in
                defer { state = State() }
                return state.waiting
            }
            for continuation in waiting { continuation.resume() }
        }

        func pass() async {
            await withCheckedContinuation { continuation in
                let isOpen = state.withLock { state in
                    if state.isShut { state.waiting.append(continuation) }
                    return !state.isShut
                }
                if isOpen { continuation.resume() }
            }
        }
    }

    /// Holds the thread that is about to compile a mesh.
    private final class Barrier: Sendable {
        private let state = Mutex<(mesh: MeshKey?, isReached: Bool)>((nil, false))
        private let opened = DispatchSemaphore(value: 0)

        var isReached: Bool { state.withLock(\.isReached) }

        func shut(for mesh: MeshKey) { state.withLock { $0 = (mesh, false) } }

        func open() {
            state.withLock { $0.mesh = nil }
            opened.signal()
        }

        func pass(_ mesh: MeshKey) {
            let isShut = state.withLock { state in
                if state.mesh == mesh { state.isReached = true }
                return state.mesh == mesh
            }
            if isShut { opened.wait() }
        }
    }

    private struct Fixture {
        let store: MeshStore
        let feeds: FeedReader
        let snapshots: SnapshotStore
        let clock = ManualClock()
        let gate = Gate()
        let compiling = Barrier()
        let publisher: ConfigPublisher
        let mesh: MeshKey
        let view: ViewID

        init(_ store: MeshStore) throws {
            self.store = store
            mesh = MeshKey(tenant: try name("acme"), mesh: .defaultMesh)
            feeds = FeedReader(store: store, logger: quietLogger)
            let meshes = MeshPublishers()
            snapshots = SnapshotStore()
            publisher = ConfigPublisher(
                mirror: feeds.mirror, store: snapshots, meshes: meshes, logger: quietLogger, clock: clock,
                awaitWritten: { [gate] in await gate.pass() }, willCompile: { [compiling] in compiling.pass($0) })
            view = try Self.view("caller-1/envoy/15080", of: mesh)
        }

        static func view(_ text: String, of mesh: MeshKey) throws -> ViewID {
            try #require(ProxyView(ViewID("\(mesh)/shop/caller/\(text)"))).id
        }

        func put(_ key: ObjectKey, _ spec: JSONValue) async throws {
            try await store.write(tenant: key.tenant, mesh: key.mesh, actor: "test", requestId: "r") { transaction in
                _ = try await transaction.put(key, metadata: ObjectLabels(), spec: spec, status: nil)
            }
        }

        func delete(_ key: ObjectKey) async throws {
            try await store.write(tenant: key.tenant, mesh: key.mesh, actor: "test", requestId: "r") { transaction in
                try await transaction.delete(key)
            }
        }

        func service(_ service: String, in mesh: MeshKey? = nil) throws -> ObjectKey {
            let name = NamespacedName(namespace: try name("shop"), name: try name(service))
            return .namespaced(.service, name, in: mesh ?? self.mesh)
        }

        func putService(_ service: String, in mesh: MeshKey? = nil) async throws {
            try await put(self.service(service, in: mesh), ["ports": [["name": "http", "port": 9080]]])
        }

        @discardableResult
        func attach(_ view: ViewID? = nil) -> Snapshot? { snapshots.attach(view ?? self.view) }

        /// The view's proxy goes.
        func detach() { snapshots.detach(view) }

        func putEndpoint(of service: String, weight: Int = 1) async throws {
            let name = NamespacedName(
                namespace: try ConfigPublisherTests.name("shop"), name: try ConfigPublisherTests.name(service))
            let spec: JSONValue = [
                "cluster": "dev", "address": "10.0.0.1", "ports": ["http": 80], "weight": .integer(Int64(weight)),
            ]
            try await put(.endpoint(try ConfigPublisherTests.name("e"), of: name, in: mesh), spec)
        }

        /// What the view is served, once it is of this revision.
        func snapshot(at revision: Revision) async throws -> Snapshot {
            try await until("revision \(revision) is there") { snapshots.snapshot(of: view)?.revision == revision }
            return try await snapshot()
        }

        func snapshot() async throws -> Snapshot {
            try await until("there is a snapshot") { snapshots.snapshot(of: view) != nil }
            return try #require(snapshots.snapshot(of: view))
        }
    }

    private static func run(_ body: @escaping @Sendable (Fixture) async throws -> Void) async throws {
        try await StoreFixture.run { fixture in
            let fixture = try Fixture(fixture.store)
            try await fixture.put(.tenant(fixture.mesh.tenant), [:])
            try await fixture.putService("reviews")
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await fixture.publisher.run() }
                try await body(fixture)
                group.cancelAll()
            }
        }
    }

    @Test("a view that comes back within half a minute finds everything as it was, a later one has it made anew")
    func comesBack() async throws {
        try await Self.run { fixture in
            fixture.attach()
            let first = try await fixture.snapshot()
            #expect(first[.cluster].count == 1)
            fixture.detach()
            for _ in 0..<29 { try await fixture.clock.advance(by: .seconds(1)) }
            fixture.attach()
            #expect(try await fixture.snapshot() === first)

            fixture.detach()
            try await until("it is forgotten") {
                try await fixture.clock.advance(by: .seconds(1))
                return !fixture.feeds.mirror.isFollowing(fixture.mesh)
            }
            #expect(!fixture.snapshots.isWanted(fixture.view))
            fixture.attach()
            let anew = try await fixture.snapshot()
            #expect(
                !anew[.cluster].isIdentical(to: first[.cluster]) && anew[.cluster].hasSameContent(as: first[.cluster]))
        }
    }

    @Test("who comes later shares what is there, hears of what is new, and what is no view is nobody's")
    func newcomers() async throws {
        try await Self.run { fixture in
            let (changes, signal) = AsyncStream.makeStream(of: ChangeSignals.Signal.self)
            async let _: Void = fixture.feeds.run(signals: changes)
            #expect(fixture.attach() == nil)
            let first = try await fixture.snapshot()
            let other = try Fixture.view("caller-2/envoy/15080", of: fixture.mesh)
            #expect(fixture.attach(other) == nil && fixture.attach(ViewID("no view")) == nil)
            try await until("it is served") { fixture.snapshots.snapshot(of: other) != nil }
            #expect(fixture.snapshots.snapshot(of: other) === first)
            #expect(fixture.attach(other) === first, "the next one has it on the spot")

            try await fixture.putService("a")
            signal.yield(.anything)
            try await until("it hears of what is new") {
                fixture.snapshots.snapshot(of: other)?.revision == first.revision + 1
            }
        }
    }

    @Test("while a mesh is compiled, others are published, and who is known is served")
    func besideEachOther() async throws {
        try await Self.run { fixture in
            let (changes, signal) = AsyncStream.makeStream(of: ChangeSignals.Signal.self)
            async let _: Void = fixture.feeds.run(signals: changes)
            let other = MeshKey(tenant: try Self.name("globex"), mesh: .defaultMesh)
            try await fixture.put(.tenant(other.tenant), [:])
            try await fixture.putService("ratings", in: other)
            let views = try [fixture.mesh, other].map { mesh in
                try (1...3).map { number in
                    try Fixture.view("caller-\(number)/envoy/\(number == 3 ? 15_081 : 15_080)", of: mesh)
                }
            }
            for views in views { for view in views.prefix(2) { fixture.attach(view) } }
            try await until("both are there") {
                views.joined().filter { !$0.description.hasSuffix("1") }
                    .allSatisfy { fixture.snapshots.snapshot(of: $0) != nil }
            }
            for views in views { fixture.snapshots.detach(views[1]) }
            let first = try views.map { try #require(fixture.snapshots.snapshot(of: $0[0])) }

            fixture.compiling.shut(for: fixture.mesh)
            defer { fixture.compiling.open() }
            try await fixture.putService("a")
            signal.yield(.anything)
            try await until("it is being compiled") { fixture.compiling.isReached }
            try await fixture.putService("b", in: other)
            signal.yield(.anything)
            try await until("the other one is published") {
                fixture.snapshots.snapshot(of: views[1][0])?.revision == first[1].revision + 1
            }
            #expect(fixture.attach(views[1][1])?.revision == first[1].revision + 1)
            #expect(fixture.attach(views[0][1]) === first[0], "as it is published")
            #expect(fixture.attach(views[1][2]) == nil && fixture.attach(views[0][2]) == nil)
            try await until("the other one's is made") { fixture.snapshots.snapshot(of: views[1][2]) != nil }
            #expect(fixture.snapshots.snapshot(of: views[0][2]) == nil)

            // What comes meanwhile is one change.
            for service in ["b", "c"] { try await fixture.putService(service) }
            signal.yield(.anything)
            try await until("it waits") { await fixture.publisher.schedule.isHeld }
            fixture.compiling.open()
            try await until("all have all of it") {
                try await fixture.clock.advance(by: .milliseconds(100))
                return views[0].allSatisfy { fixture.snapshots.snapshot(of: $0)?[.cluster].count == 4 }
            }
        }
    }

    @Test("however often a view comes and goes, it hears of what is new when it has come")
    func comesAndGoes() async throws {
        try await Self.run { fixture in
            let (changes, signal) = AsyncStream.makeStream(of: ChangeSignals.Signal.self)
            async let _: Void = fixture.feeds.run(signals: changes)
            fixture.attach()
            var revision = try await fixture.snapshot().revision
            for round in 0..<50 {
                for _ in 0..<round {
                    fixture.snapshots.detach(fixture.view)
                    fixture.attach()
                }
                try await fixture.putEndpoint(of: "reviews", weight: round + 1)
                signal.yield(.anything)
                revision += 1
                _ = try await fixture.snapshot(at: revision)
            }
        }
    }

    @Test("changes wait while a push is written, and go together; while the event loops rest, only endpoints go on")
    func pace() async throws {
        try await Self.run { fixture in
            let (changes, signal) = AsyncStream.makeStream(of: ChangeSignals.Signal.self)
            async let _: Void = fixture.feeds.run(signals: changes)
            fixture.gate.shut()
            fixture.attach()
            let first = try await fixture.snapshot()

            for service in ["a", "b"] { try await fixture.putService(service) }
            signal.yield(.anything)
            try await until("they wait") { await fixture.publisher.schedule.isHeld }
            #expect(fixture.snapshots.snapshot(of: fixture.view) === first)
            // It took a minute to write it, so the rest is as long as it can be.
            try await fixture.clock.advance(by: .seconds(60))
            fixture.gate.open()
            try await until("the loops rest") { await fixture.publisher.schedule.phase == .resting }
            #expect(await fixture.publisher.schedule.isHeld && fixture.snapshots.snapshot(of: fixture.view) === first)
            fixture.gate.shut()
            try await fixture.putEndpoint(of: "a")
            signal.yield(.anything)
            let second = try await fixture.snapshot(at: first.revision + 3)
            #expect(second[.cluster].count == 3, "what waited goes with it")

            try await fixture.putService("c")
            signal.yield(.anything)
            try await until("it waits") { await fixture.publisher.schedule.isHeld }
            fixture.gate.open()
            try await until("it goes on when the loops have rested") {
                try await fixture.clock.advance(by: .milliseconds(100))
                return fixture.snapshots.snapshot(of: fixture.view)?[.cluster].count == 4
            }
        }
    }

    @Test("when a deleted tenant is back, the view has the new mesh's snapshot, which says that it is another's")
    func recreated() async throws {
        try await Self.run { fixture in
            let (changes, signal) = AsyncStream.makeStream(of: ChangeSignals.Signal.self)
            async let _: Void = fixture.feeds.run(signals: changes)
            fixture.attach()
            let first = try await fixture.snapshot()
            try await fixture.delete(fixture.service("reviews"))
            try await fixture.delete(.tenant(fixture.mesh.tenant))
            signal.yield(.anything)
            try await until("the mesh is gone") { !fixture.feeds.mirror.isFollowing(fixture.mesh) }
            try await fixture.clock.advance(by: .seconds(1))
            #expect(fixture.snapshots.snapshot(of: fixture.view) === first, "what they have they keep")

            try await fixture.put(.tenant(fixture.mesh.tenant), [:])
            try await fixture.putService("ratings")
            signal.yield(.anything)
            try await until("the new mesh is served") {
                try await fixture.clock.advance(by: .seconds(1))
                return fixture.snapshots.snapshot(of: fixture.view)?[.cluster].names
                    == ["outbound|9080||ratings.shop.svc.cluster.local"]
            }
            let second = try await fixture.snapshot()
            #expect(first.owner != nil && second.owner != nil && first.owner != second.owner)
        }
    }

    @Test(
        "a mesh that is another one is noticed whatever its revision, also by who never heard that the first one was gone"
    )
    func replaced() async throws {
        try await Self.run { fixture in
            let (changes, signal) = AsyncStream.makeStream(of: ChangeSignals.Signal.self)
            async let _: Void = fixture.feeds.run(signals: changes)
            fixture.attach()
            var owner = try await fixture.snapshot().owner
            // Behind the old one, at the same revision, and beyond it.
            for services in [["a"], ["b"], ["c", "d", "e"]] {
                let there = fixture.feeds.mirror.life(of: fixture.mesh)
                for service in ["reviews", "a", "b"] { try? await fixture.delete(fixture.service(service)) }
                try await fixture.delete(.tenant(fixture.mesh.tenant))
                try await fixture.put(.tenant(fixture.mesh.tenant), [:])
                for service in services { try await fixture.putService(service) }
                let now = try #require(try await fixture.store.life(of: fixture.mesh))
                #expect(now != there)
                signal.yield(.anything)
                try await until("the new mesh is served") {
                    try await fixture.clock.advance(by: .seconds(1))
                    return fixture.snapshots.snapshot(of: fixture.view)?.owner == now.description
                }
                let second = try await fixture.snapshot()
                #expect(second.owner != owner && second[.cluster].count == services.count)
                owner = second.owner
            }
        }
    }
}
