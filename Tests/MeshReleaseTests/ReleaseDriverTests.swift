import GrayRelease
import Logging
import MeshCore
import MeshRelease
import ReleaseFixtures
import Synchronization
import TestSupport
import Testing

@Suite("Drivers drive releases, each transition once", .timeLimit(.minutes(2)))
struct ReleaseDriverTests {
    static func driver(
        _ queue: MemoryQueue, _ owner: String = "a",
        _ change: (inout ReleaseDriver<MemoryQueue>.Configuration) -> Void = { _ in }
    ) -> ReleaseDriver<MemoryQueue> {
        var configuration = ReleaseDriver<MemoryQueue>.Configuration()
        configuration.holdOff = .zero
        configuration.idle = .seconds(3600)
        configuration.backoff = .microseconds(10)...Duration.microseconds(100)
        change(&configuration)
        var logger = Logger(label: "test")
        logger.logLevel = .critical
        return ReleaseDriver(queue: queue, replica: owner, configuration: configuration, logger: logger)
    }

    /// Runs drivers until all releases have ended.
    static func run(_ queue: MemoryQueue, _ drivers: [ReleaseDriver<MemoryQueue>]) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for driver in drivers { group.addTask { try await driver.run() } }
            group.addTask { await queue.finished.wait() }
            // The drivers never end by themselves.
            try await group.next()
            group.cancelAll()
            try await group.waitForAll()
        }
    }

    static func started(_ count: Int, proxies: Int = 2) throws -> [Scene] {
        try (0..<count).map { index in
            var generator = SeededGenerator(seed: UInt64(index))
            var scene = Scene(Fixture.randomSpec(&generator, indefinitePauses: false))
            scene.observations.proxies = .connected(proxies)
            try scene.ask(.start)
            return scene
        }
    }

    /// What happened to each release. Without the gaps: a driver that waits moves the time for all others.
    static func keys(_ queue: MemoryQueue) -> [[String]] {
        queue.state.withLock { state in
            state.entries.sorted { $0.key.name < $1.key.name }.map { entry in
                entry.value.scene.events.filter { $0.kind != .controllerGap }.map(\.dedupeKey)
            }
        }
    }

    @Test("one driver takes a release to its end")
    func one() async throws {
        let queue = MemoryQueue(try Self.started(1))
        try await Self.run(queue, [Self.driver(queue)])
        #expect(queue.scenes.map(\.status.phase) == [.succeeded])
        #expect(queue.state.withLock(\.problems) == [])
        #expect(queue.state.withLock { $0.entries.values.allSatisfy { $0.owner == nil } })
    }

    @Test("a release with nothing due is not claimed again and again")
    func idle() async throws {
        let queue = MemoryQueue(try Self.started(1))
        try await Self.run(queue, [Self.driver(queue)])
        let (claims, commits) = queue.state.withLock { ($0.claims, $0.entries.values.first?.commits ?? 0) }
        #expect(claims <= 3 * commits + 3)
    }

    @Test("three drivers share fifty releases and do each thing once")
    func many() async throws {
        let alone = MemoryQueue(try Self.started(50))
        try await Self.run(alone, [Self.driver(alone)])
        let shared = MemoryQueue(try Self.started(50))
        try await Self.run(shared, ["a", "b", "c"].map { Self.driver(shared, $0) })
        #expect(shared.scenes.allSatisfy { $0.status.phase == .succeeded })
        #expect(shared.state.withLock(\.problems) == [])
        #expect(Self.keys(shared) == Self.keys(alone))
    }

    /// The driver remembers nothing, so a fault that leaves the lease behind is what a killed replica leaves.
    @Test("killed at every commit, before and after it", arguments: [MemoryQueue.Point.beforeCommit, .afterCommit])
    func crash(_ point: MemoryQueue.Point) async throws {
        let reference = MemoryQueue(try Self.started(1))
        try await Self.run(reference, [Self.driver(reference)])
        let commits = reference.state.withLock { $0.entries.values.first?.commits ?? 0 }
        #expect(commits > 5)
        for crash in 0..<commits {
            let count = Mutex(0), isDead = Mutex(false)
            let queue = MemoryQueue(try Self.started(1)) { here in
                // A dead replica gives nothing back.
                if here == .giveBack,
                    isDead.withLock({ dead in
                        defer { dead = false }; return dead
                    })
                {
                    throw MemoryQueue.Fault()
                }
                guard here == point else { return }
                let isNow = count.withLock { count in
                    defer { count += 1 }
                    return count == crash
                }
                if isNow {
                    isDead.withLock { $0 = true }
                    throw MemoryQueue.Fault()
                }
            }
            try await Self.run(queue, [Self.driver(queue)])
            #expect(queue.scenes.map(\.status.phase) == [.succeeded], "crash at commit \(crash)")
            #expect(queue.state.withLock(\.problems) == [])
            #expect(Self.keys(queue) == Self.keys(reference))
        }
    }

    @Test("faults everywhere, several drivers, time that jumps over leases", arguments: 0..<8)
    func chaos(_ seed: Int) async throws {
        let generator = Mutex(SeededGenerator(seed: UInt64(seed) + 99))
        let box = Mutex<MemoryQueue?>(nil)
        let queue = MemoryQueue(try Self.started(10)) { point in
            let (fails, jumps) = generator.withLock { ($0.chance(15), $0.chance(5)) }
            if jumps, point == .observe || point == .beforeCommit {
                // Longer than a lease: the release is somebody else's by now.
                box.withLock { $0 }?.state.withLock { $0.now = $0.now + .seconds(16) }
            }
            if fails { throw MemoryQueue.Fault() }
            await Task.yield()
        }
        box.withLock { $0 = queue }
        try await Self.run(queue, ["a", "b", "c"].map { Self.driver(queue, $0) })
        box.withLock { $0 = nil }
        #expect(queue.scenes.allSatisfy { $0.status.phase == .succeeded })
        #expect(queue.state.withLock(\.problems) == [])
        for scene in queue.scenes {
            for event in scene.events where event.kind == .stepCompleted {
                let index = try #require(event.stepIndex)
                guard index < scene.spec.strategy.steps.count,
                    let begun = scene.events.last(where: { $0.kind == .stepBaking && $0.stepIndex == index })
                else { continue }
                #expect(event.at - begun.at >= scene.spec.strategy.steps[index].bakeTime)
            }
        }
    }

    @Test("a stale epoch loses, whatever it decided")
    func leaseTheft() async throws {
        let queue = MemoryQueue(try Self.started(1))
        let slow = try #require(try await queue.claim(by: "slow", limit: 1, lease: .seconds(15)).first)
        let (observations, now) = try await queue.observe(slow)
        let decision = ReleaseMachine.decide(spec: slow.spec, status: slow.status, observations: observations, now: now)
        #expect(try await queue.claim(by: "b", limit: 1, lease: .seconds(15)).isEmpty, "leased")
        queue.state.withLock { $0.now = $0.now + .seconds(16) }
        let thief = try #require(try await queue.claim(by: "b", limit: 1, lease: .seconds(15)).first)
        #expect(thief.leaseEpoch == slow.leaseEpoch + 1)
        #expect(try await queue.commit(decision, of: slow) == .lost)
        #expect(try await queue.commit(decision, of: thief) == .committed)
        #expect(try await queue.commit(decision, of: thief) == .lost, "twice")
    }

    @Test("a rollback that a person asks for wins over a driver that has decided already")
    func rollbackDuringCommit() async throws {
        let box = Mutex<MemoryQueue?>(nil), isAsked = Mutex(false)
        let queue = MemoryQueue(try Self.started(1)) { point in
            guard point == .beforeCommit, let queue = box.withLock({ $0 }) else { return }
            let id = queue.state.withLock { state in
                state.entries.first { $0.value.scene.status.phase == .progressing }?.key
            }
            guard let id,
                isAsked.withLock({ asked in
                    defer { asked = true }; return !asked
                })
            else { return }
            queue.ask(.rollback(reason: nil, force: false), of: id)
        }
        box.withLock { $0 = queue }
        try await Self.run(queue, [Self.driver(queue)])
        box.withLock { $0 = nil }
        #expect(queue.scenes.map(\.status.phase) == [.rolledBack])
        #expect(queue.state.withLock(\.lost) == 1)
        #expect(queue.state.withLock(\.problems) == [])
    }

    @Test("cancellation lets the commit in hand finish, undisturbed, and claims nothing more")
    func shutdown() async throws {
        let isCommitting = Gate(), mayCommit = Gate(), wasDisturbed = Mutex(false)
        let queue = MemoryQueue(try Self.started(1)) { point in
            guard point == .beforeCommit else { return }
            isCommitting.open()
            await mayCommit.wait()
            wasDisturbed.withLock { $0 = Task.isCancelled }
        }
        await withTaskGroup { group in
            group.addTask { try? await Self.driver(queue).run() }
            await isCommitting.wait()
            group.cancelAll()
            mayCommit.open()
            await group.waitForAll()
        }
        #expect(!wasDisturbed.withLock { $0 })
        let (commits, claims, owners) = queue.state.withLock { state in
            (state.entries.values.map(\.commits), state.claims, state.entries.values.compactMap(\.owner))
        }
        #expect(commits == [1])
        #expect(claims == 1)
        #expect(owners == [])
    }

    @Test("work that does not end is given up after the time for shutdown")
    func stuck() async throws {
        let isCommitting = Gate()
        let queue = MemoryQueue(try Self.started(1)) { point in
            guard point == .beforeCommit else { return }
            isCommitting.open()
            try await hangUntilCancelled()
        }
        await withTaskGroup { group in
            group.addTask { try? await Self.driver(queue) { $0.shutdown = .milliseconds(20) }.run() }
            await isCommitting.wait()
            group.cancelAll()
            await group.waitForAll()
        }
        #expect(queue.state.withLock { $0.entries.values.allSatisfy { $0.commits == 0 } })
    }

    @Test("an observation that never comes is given up")
    func stuckObservation() async throws {
        let isFirst = Mutex(true)
        let queue = MemoryQueue(try Self.started(1)) { point in
            guard point == .observe,
                isFirst.withLock({ first in
                    defer { first = false }; return first
                })
            else { return }
            try await hangUntilCancelled()
        }
        try await Self.run(queue, [Self.driver(queue) { $0.patience = .milliseconds(20) }])
        #expect(queue.scenes.map(\.status.phase) == [.succeeded])
    }

    @Test("a signal wakes who waits, is remembered for who comes later, and only once")
    func signal() async throws {
        let signal = ReleaseSignal()
        signal.notify()
        signal.notify()
        try await signal.wait(atMost: .seconds(3600))
        await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await signal.wait(atMost: .seconds(3600)) }
            group.cancelAll()
        }
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await signal.wait(atMost: .seconds(3600)) }
            signal.notify()
            try await group.next()
        }
        try await signal.wait(atMost: .milliseconds(1))
    }

    @Test("a queue that cannot be reached is asked again, and nothing is decided from memory")
    func outage() async throws {
        let failures = Mutex(0)
        let queue = MemoryQueue(try Self.started(3)) { point in
            guard point == .claim || point == .timeUntilDue else { return }
            let fails = failures.withLock { failures in
                failures += 1
                return failures < 200
            }
            if fails { throw MemoryQueue.Fault() }
        }
        try await Self.run(queue, [Self.driver(queue)])
        #expect(queue.scenes.allSatisfy { $0.status.phase == .succeeded })
    }
}

/// Something a test waits for.
final class Gate: Sendable {
    private let stream: AsyncStream<Void>
    private let continuation: AsyncStream<Void>.Continuation

    init() { (stream, continuation) = AsyncStream.makeStream() }

    func open() { continuation.finish() }

    func wait() async { for await _ in stream {} }
}
