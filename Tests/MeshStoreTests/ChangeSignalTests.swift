import Documents
import MeshCore
import MeshModel
import Postgres
import StoreFixtures
import TestSupport
import Testing

@testable import MeshStore

@Suite("Change signals", .timeLimit(.minutes(2)))
struct ChangeSignalTests {
    @Test("a listener begins by looking at everything, and then hears of each commit, by its mesh")
    func signals() async throws {
        try await listening { store, signals in
            #expect(await signals.next() == .anything)
            _ = try await store.create(.service("a"))
            #expect(await signals.next() == .changed(.acme))
            _ = try await store.create(.service("a", in: .globex))
            #expect(await signals.next() == .changed(.globex))
        }
    }

    @Test("many writes of one transaction are one signal; what changes nothing or is undone is none")
    func noise() async throws {
        struct Stop: Error {}
        try await listening { store, signals in
            #expect(await signals.next() == .anything)
            try await store.write { transaction in
                for text in ["a", "b"] {
                    _ = try await transaction.put(.service(text), metadata: ObjectLabels(), spec: [:])
                }
                try await transaction.delete(.service("b"))
            }
            #expect(await signals.next() == .changed(.acme))
            _ = try await store.create(.service("a"))
            await #expect(throws: Stop.self) {
                try await store.write { transaction in
                    try await transaction.delete(.service("a"))
                    throw Stop()
                }
            }
            _ = try await store.write { try await $0.fetch(.service("a"), forUpdate: true) }
            // The next signal is the one of this write, so there was none in between.
            _ = try await store.create(.service("a", in: .globex))
            #expect(await signals.next() == .changed(.globex))
        }
    }

    @Test("a cluster's change signals the meshes of its tenant")
    func clusters() async throws {
        try await listening { store, signals in
            #expect(await signals.next() == .anything)
            _ = try await store.create(.cluster(name("north"), of: .acme))
            #expect(await signals.next() == .changed(.acme))
            try await store.delete(.cluster(name("north"), of: .acme))
            #expect(await signals.next() == .changed(.acme))
            _ = try await store.create(.mesh(name("blue"), of: .acme))
            #expect(await signals.next() == .changed(.acme))
            _ = try await store.create(.service("a", in: .globex))
            #expect(await signals.next() == .changed(.globex))
        }
    }

    @Test("the end of a tenant signals its meshes, and a new tenant nobody")
    func tenants() async throws {
        try await listening { store, signals in
            #expect(await signals.next() == .anything)
            _ = try await store.create(.tenant(name("initech")))
            try await store.delete(.tenant(.acme))
            #expect(await signals.next() == .changed(.acme))
        }
    }

    @Test("a listener whose connection is cut listens again and says that it may have missed something")
    func reconnection() async throws {
        try await listening { store, signals in
            #expect(await signals.next() == .anything)
            let cut = try await store.pool.query(
                """
                SELECT pg_terminate_backend(pid) FROM pg_stat_activity
                 WHERE datname = current_database() AND query LIKE 'LISTEN %'
                """)
            #expect(cut.count == 1)
            #expect(await signals.next() == .anything)
            _ = try await store.create(.service("a"))
            #expect(await signals.next() == .changed(.acme))
        }
    }

    @Test("a consumer that falls behind is told that it missed something")
    func overflow() async throws {
        let queue = SignalQueue()
        let signals = Signals(stream: queue.signals)
        for _ in 0..<1024 { queue.put(.changed(.acme)) }
        for _ in 0..<1024 { #expect(await signals.next() == .changed(.acme)) }
        for _ in 0..<1025 { queue.put(.changed(.acme)) }
        for _ in 0..<1023 { #expect(await signals.next() == .changed(.acme)) }
        #expect(await signals.next() == .anything)
    }

    @Test("who asks for releases hears of those, and of what may have been missed")
    func releases() async throws {
        try await StoreFixture.run { fixture in
            let changes = ChangeSignals(fixture.options, logger: quietLogger)
            let (all, releases) = (changes.subscribe(), changes.subscribe { $0 == .release })
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await changes.run() }
                defer { group.cancelAll() }
                let signals = (all: Signals(stream: all), releases: Signals(stream: releases))
                #expect(await signals.all.next() == .anything)
                #expect(await signals.releases.next() == .anything)
                try await fixture.store.create(.tenant(.acme))
                _ = try await fixture.store.create(.service("a"))
                #expect(await signals.all.next() == .changed(.acme))
                try await fixture.store.startRelease("v2", service: "a")
                #expect(await signals.releases.next() == .release)
                #expect(await signals.all.next() == .changed(.acme))
                #expect(await signals.all.next() == .release)
            }
        }
    }

    @Test(
        "what somebody else sends on the channel makes the listener look at everything",
        arguments: ["", "x", "A/b", "a/b/c", "/"])
    func garbage(_ payload: String) async throws {
        try await listening { store, signals in
            #expect(await signals.next() == .anything)
            _ = try await store.pool.query("SELECT pg_notify('sluice', \(payload))")
            #expect(await signals.next() == .anything)
        }
    }
}

/// Runs `body` beside a listener, and ends it.
private func listening(
    _ body: (MeshStore, Signals) async throws -> Void
) async throws {
    try await StoreFixture.run { fixture in
        for tenant in [Name.acme, .globex] { try await fixture.store.create(.tenant(tenant)) }
        let changes = ChangeSignals(fixture.options, logger: quietLogger)
        let signals = Signals(stream: changes.subscribe())
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await changes.run() }
            defer { group.cancelAll() }
            try await body(fixture.store, signals)
        }
    }
}

/// Takes signals one by one.
private struct Signals {
    let stream: AsyncStream<ChangeSignals.Signal>

    func next() async -> ChangeSignals.Signal? {
        for await signal in stream { return signal }
        return nil
    }
}
