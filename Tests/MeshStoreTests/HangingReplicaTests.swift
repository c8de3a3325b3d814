import Documents
import GrayRelease
import MeshCore
import MeshModel
import Postgres
import StoreFixtures
import TestSupport
import Testing

@testable import MeshStore

/// A replica that hangs or vanishes in the middle of a transaction, and what the others get done.
@Suite("Replicas that hang")
struct HangingReplicaTests {
    /// Gives `body` two replicas' stores on one database, each with limits of its own.
    private func withReplicas(
        hanging: SessionLimits, other: SessionLimits, _ body: (MeshStore, MeshStore) async throws -> Void
    ) async throws {
        try await StoreFixture.run { fixture in
            try await fixture.store.create(.tenant(.acme))
            func pool<T: Sendable>(_ limits: SessionLimits, _ body: (Pool) async throws -> T) async throws -> T {
                var options = fixture.options
                options.limits = limits
                return try await Pool.running(PoolOptions(options), logger: quietLogger, body)
            }
            try await pool(hanging) { first in
                try await pool(other) { second in
                    try await body(
                        MeshStore(pool: first, logger: quietLogger), MeshStore(pool: second, logger: quietLogger))
                }
            }
        }
    }

    @Test("A replica that hangs with the mesh's row locked does not stop the others; what it began has not happened")
    func othersGoOn() async throws {
        try await withReplicas(
            hanging: SessionLimits(idleInTransaction: .milliseconds(300)), other: SessionLimits(lock: .seconds(60))
        ) { hanging, other async throws in
            let error = await #expect(throws: StoreError.self) {
                try await hanging.write { transaction async throws in
                    _ = try await transaction.put(.service("a"), metadata: ObjectLabels(), spec: [:])
                    // It hangs here until the other one has got through.
                    let object = try await other.create(.service("b"))
                    #expect(object.revision == 2)
                }
            }
            guard case .unavailable = error else {
                Issue.record("\(String(describing: error))")
                return
            }
            #expect(try await other.fetch(.service("a")) == nil)
            #expect(try await other.revision() == 2)
        }
    }

    @Test("A replica that hangs while it commits a release loses it to another one within the lease")
    func releaseIsTakenOver() async throws {
        try await withReplicas(
            hanging: SessionLimits(idleInTransaction: .milliseconds(300)), other: SessionLimits(lock: .seconds(60))
        ) { hanging, other async throws in
            let row = try await other.createRelease("v2")
            _ = await #expect(throws: StoreError.self) {
                try await hanging.write { transaction async throws in
                    _ = try await transaction.commit(
                        .enter(.progressing, events: ["a"], traffic: true), of: row, leaseEpoch: nil, actor: "hanging")
                    let taken = try await other.commit(.enter(.progressing, events: ["b"], traffic: true), of: row)
                    #expect(taken != nil)
                }
            }
            let events = try await other.releaseEvents(.release("v2"), after: 0, limit: 10)
            #expect(events.map(\.dedupeKey) == ["b"])
        }
    }

    @Test("Who has to wait for too long is told what for")
    func reason() async throws {
        func locked(_ table: String) -> StoreError {
            .unavailable(retryAfter: .seconds(1), because: .locked(table: table))
        }
        try await withReplicas(
            hanging: SessionLimits(idleInTransaction: .seconds(60)), other: SessionLimits(lock: .milliseconds(100))
        ) { hanging, other async throws in
            try await hanging.write { transaction async throws in
                _ = try await transaction.put(.service("a"), metadata: ObjectLabels(), spec: [:])
                await #expect(throws: locked("mesh")) {
                    try await other.create(.service("b"))
                }
            }
            _ = try await hanging.create(.service("c"))
            try await hanging.write { transaction async throws in
                _ = try await transaction.fetch(.service("c"), forUpdate: true)
                await #expect(throws: locked("object")) {
                    try await other.create(.service("c"), spec: ["n": 1])
                }
            }
        }
    }

    @Test("The last write of a transaction is committed in its own round trip: nobody can hang with its locks")
    func lastWrite() async throws {
        try await withStore { store async throws in
            let old = try await store.create(.service("a"))
            try await store.write { transaction async throws in
                let written = try await transaction.put(
                    .service("a"), metadata: ObjectLabels(), spec: ["n": 1], isLast: true)
                #expect(written.revision == old.revision + 1)
                #expect(try await store.fetch(.service("a")) == written)
                // The lock of the mesh is free again.
                #expect(try await store.create(.service("b")).revision == written.revision + 1)
            }
        }
    }

    @Test("So is a creation, and a deletion")
    func lastCreationAndDeletion() async throws {
        try await withStore { store async throws in
            let before = try await store.revision()
            try await store.write { transaction async throws in
                let created = try await transaction.put(
                    .service("a"), metadata: ObjectLabels(), spec: [:], isLast: true)
                #expect(try await store.fetch(.service("a")) == created)
                #expect(try await store.create(.service("b")).revision == before + 2)
            }
            try await store.write { transaction async throws in
                try await transaction.delete(.service("a"), isLast: true)
                #expect(try await store.fetch(.service("a")) == nil)
                #expect(try await store.create(.service("c")).revision == before + 4)
            }
            let changes = try await store.changes(.acme, after: before, limit: 10)
            #expect(changes.deleted == [.service("a")] && changes.revision == before + 4)
        }
    }

    @Test("So is what the engine decides about a release, with the service's status")
    func lastCommit() async throws {
        try await withStore { store async throws in
            _ = try await store.create(.service("cart"), status: ServiceStatus(stableVersion: name("v1")).json)
            let row = try await store.createRelease("v2")
            let before = try await store.revision()
            let at = try await store.now()
            try await store.write { transaction async throws in
                let decision = ReleaseDecision.enter(
                    .promoting, events: ["a"],
                    service: [.promote(from: name("v1"), to: name("v2"), at: at, rules: ["main"])], traffic: true)
                let object = try #require(
                    try await transaction.commit(decision, of: row, leaseEpoch: nil, actor: "engine", isLast: true))
                #expect(ReleaseStatus(object.status).traffic.configRevision == before + 1)
                #expect(try await store.fetch(.release("v2")) == object)
                #expect(try await store.create(.service("b")).revision == before + 2)
            }
            let service = ServiceStatus(try #require(try await store.fetch(.service("cart"))).status)
            #expect(service.promotions == [.init(from: name("v1"), release: name("v2"), at: at, rules: ["main"])])
        }
    }

    @Test("A tenant that is deleted meanwhile gets nothing written", arguments: [true, false])
    func deletedTenant(isLast: Bool) async throws {
        try await withStore { store async throws in
            await #expect(throws: StoreError.notFound) {
                try await store.write { transaction async throws in
                    _ = try await transaction.fetch(.service("a"), forUpdate: true)
                    try await store.delete(.tenant(.acme))
                    _ = try await transaction.put(
                        .service("a"), metadata: ObjectLabels(), spec: [:], isLast: isLast)
                }
            }
            #expect(try await store.meshRevision(.acme) == nil)
        }
    }
}

@Suite("A database that runs out of something")
struct ShortageTests {
    @Test("is unavailable, says what it lacks, and the pool remembers it")
    func diskFull() async throws {
        try await withStore { store async throws in
            #expect(store.pool.recentShortage == nil)
            // What PostgreSQL says when a table's file cannot grow.
            try await store.pool.execute(
                script: """
                    CREATE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
                        RAISE EXCEPTION 'could not extend file' USING ERRCODE = '53100'; END $$;
                    CREATE TRIGGER full_disk BEFORE INSERT ON audit_event EXECUTE FUNCTION full_disk();
                    """)
            await #expect(throws: StoreError.unavailable(retryAfter: .seconds(10), because: .diskFull)) {
                try await store.create(.service("a"))
            }
            #expect(store.pool.recentShortage == .disk)
            #expect(try await store.fetch(.service("a")) == nil)
        }
    }
}
