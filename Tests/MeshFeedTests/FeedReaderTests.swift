import MeshCore
import MeshModel
import MeshStore
import Postgres
import Synchronization
import TestSupport
import Testing

@testable import MeshFeed

@Suite("The reader of change feeds", .timeLimit(.minutes(2)))
struct FeedReaderTests {
    private static func names(_ texts: String...) -> [Name] { texts.map(Fixture.name) }

    private static func run(
        _ fixture: Fixture, interval: Duration = .seconds(3600),
        _ body: (AsyncStream<ChangeSignals.Signal>.Continuation) async throws -> Void
    ) async throws {
        let (signals, signal) = AsyncStream.makeStream(of: ChangeSignals.Signal.self)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await fixture.reader.run(signals: signals, interval: interval) }
            try await body(signal)
            group.cancelAll()
        }
    }

    @Test("reads a change of a mesh once, for the mirror and for all who watch it", arguments: [false, true])
    func once(isMirrored: Bool) async throws {
        try await Fixture.run { fixture in
            if isMirrored { _ = try await fixture.reader.mirror.follow(Fixture.mesh) }
            let inboxes = [try await fixture.watch(), try await fixture.watch(), try await fixture.watch()]
            try await Self.run(fixture) { signal in
                for number in 1...3 {
                    let before = fixture.reads
                    let revision = try await fixture.putService("s\(number)")
                    signal.yield(.changed(Fixture.mesh))
                    try await until("it is read") {
                        fixture.reader.feeds.withLock { $0[Fixture.feed]?.revision } == revision
                    }
                    for inbox in inboxes { #expect(inbox.takeNames() == Self.names("s\(number)")) }
                    #expect(fixture.reads == before + 1)
                    guard isMirrored else { continue }
                    let state = try await fixture.reader.mirror.state(of: Fixture.mesh, atLeast: revision)
                    #expect(state.services.count == number && fixture.reads == before + 1)
                }
            }
        }
    }

    @Test("what a request cannot wait for is read for everybody")
    func onDemand() async throws {
        try await Fixture.run { fixture in
            let mirror = fixture.reader.mirror
            let inbox = try await fixture.watch()
            let first = try await mirror.state(of: Fixture.mesh, atLeast: 0)
            #expect(!inbox.take().mustRead, "it is where the watch is")
            let revision = try await fixture.putService("reviews")
            let before = fixture.reads
            #expect(try await mirror.state(of: Fixture.mesh, atLeast: first.revision).services.isEmpty)
            #expect(fixture.reads == before, "good enough as it is")
            #expect(try await mirror.state(of: Fixture.mesh, atLeast: revision).services.count == 1)
            #expect(inbox.takeNames() == Self.names("reviews"))
            #expect(fixture.reads == before + 1)
        }
    }

    @Test("whoever reads at the same time has everything in the end, and the watches have each page in its turn")
    func overlapping() async throws {
        try await Fixture.run { fixture in
            let mirror = fixture.reader.mirror
            try await mirror.follow(Fixture.mesh)
            let inbox = try await fixture.watch()
            var reached = try await fixture.revision()
            for round in 0..<10 {
                let revision = try await fixture.putService("s\(round)")
                let states = try await withThrowingTaskGroup(of: MeshState.self) { group in
                    for _ in 0..<4 { group.addTask { try await mirror.state(of: Fixture.mesh, atLeast: .max) } }
                    return try await group.reduce(into: []) { $0.append($1) }
                }
                #expect(states.allSatisfy { $0.revision == revision && $0.services.count == round + 1 })
                let page = try #require(inbox.take().page)
                #expect(page.after == reached && page.revision == revision && page.entries.count == 1)
                reached = revision
            }
        }
    }

    @Test("a signal that was lost costs time only")
    func timer() async throws {
        try await Fixture.run { fixture in
            try await fixture.reader.mirror.follow(Fixture.mesh)
            _ = fixture.reader.mirror.takeUpdates()
            let inbox = try await fixture.watch()
            try await Self.run(fixture, interval: .milliseconds(10)) { _ in
                try await fixture.putService("reviews")
                try await until("the watch has it") { inbox.takeNames() == Self.names("reviews") }
                #expect(fixture.reader.mirror.takeUpdates().map(\.state.services.count) == [1])
            }
        }
    }

    @Test("a mesh that is made anew is loaded, and its watches look for themselves")
    func madeAnew() async throws {
        try await Fixture.run { fixture in
            let mirror = fixture.reader.mirror
            try await fixture.putService("reviews")
            try await mirror.follow(Fixture.mesh)
            let first = mirror.life(of: Fixture.mesh)
            let inbox = try await fixture.watch()
            try await fixture.delete(Fixture.service("reviews"))
            try await fixture.delete(.tenant(Fixture.acme))
            try await fixture.put(.tenant(Fixture.acme))
            for service in ["a", "b", "c", "d"] { try await fixture.putService(service) }
            let state = try await mirror.state(of: Fixture.mesh, atLeast: .max)
            #expect(state.services.count == 4 && state.life != first)
            #expect(inbox.take().mustRead)
            #expect(mirror.takeUpdates().map(\.change.everything) == [true])
        }
    }

    @Test("where the feed does not reach back the mesh is loaded, and its watches look for themselves")
    func compacted() async throws {
        try await Fixture.run { fixture in
            try await fixture.reader.mirror.follow(Fixture.mesh)
            let inboxes = [try await fixture.watch()]
            let revision = try await fixture.putService("reviews")
            _ = try await fixture.store.pool.pipeline([
                "SELECT set_config('sluice.tenant', '*', true)", "DELETE FROM change",
                "UPDATE mesh SET compacted = revision",
            ])
            let state = try await fixture.reader.mirror.state(of: Fixture.mesh, atLeast: revision)
            #expect(state.services.count == 1)
            #expect(inboxes.allSatisfy { $0.take().mustRead })
        }
    }

    @Test("when the tenant is gone, its watches end and its mesh is forgotten")
    func gone() async throws {
        try await Fixture.run { fixture in
            try await fixture.reader.mirror.follow(Fixture.mesh)
            let inbox = try await fixture.watch()
            try await Self.run(fixture) { signal in
                try await fixture.delete(.tenant(Fixture.acme))
                signal.yield(.changed(Fixture.mesh))
                for await _ in inbox.wakeups {}
                #expect(!fixture.reader.mirror.isFollowing(Fixture.mesh))
                #expect(!fixture.reader.isConcerned(by: .changed(Fixture.mesh)))
            }
            await #expect(throws: StoreError.notFound) {
                try await fixture.reader.mirror.state(of: Fixture.mesh, atLeast: 0)
            }
        }
    }

    @Test("with its last watch a feed is followed no more")
    func remove() async throws {
        try await Fixture.run { fixture in
            let inbox = try await fixture.watch()
            #expect(fixture.reader.isConcerned(by: .changed(Fixture.mesh)))
            #expect(!fixture.reader.isConcerned(by: .release))
            fixture.reader.remove(inbox, from: Fixture.feed)
            #expect(!fixture.reader.isConcerned(by: .changed(Fixture.mesh)))
        }
    }
}
