import Dispatch
import Documents
import MeshCore
import TestSupport
import Testing

@testable import MeshControl

@Suite("The desk for long work", .timeLimit(.minutes(1)))
struct WorkDeskTests {
    private static func desk(threads: Int = 1, places: Int = 8, perTenant: Int = 8) -> WorkDesk {
        WorkDesk(
            threads: Limit("t", threads, "threads", ""), places: Limit("p", places, "jobs", ""),
            placesPerTenant: Limit("q", perTenant, "jobs", ""))
    }

    /// Keeps a thread until it is opened.
    private final class Door: Sendable {
        private let inside = DispatchSemaphore(value: 0)
        private let entered = AsyncStream.makeStream(of: Void.self)

        func pass() {
            entered.continuation.yield()
            inside.wait()
        }

        func someone() async { for await _ in entered.stream { return } }
        func open() { inside.signal() }
    }

    private static let acme = Name("acme")
    private static let globex = Name("globex")

    @Test("Jobs that have no place are refused, by tenant and in all, and each place is free again after its job")
    func places() async throws {
        let (acme, globex) = (try #require(Self.acme), try #require(Self.globex))
        let (desk, door) = (Self.desk(places: 1, perTenant: 2), Door())
        try await withThrowingTaskGroup(of: Int.self) { group in
            group.addTask {
                try await desk.run(for: acme) { _ in
                    door.pass()
                    return 1
                }
            }
            await door.someone()
            group.addTask { try await desk.run(for: acme) { _ in 2 } }
            try await until("the second one waits") { desk.waitingCount == 1 }
            for (tenant, isOfTenant) in [(acme, true), (globex, false)] {
                do {
                    _ = try await desk.run(for: tenant) { _ in 3 }
                    Issue.record("there was a place")
                } catch let full as WorkDesk.Full {
                    #expect(full.isOfTenant == isOfTenant && full.limit.value == (isOfTenant ? 2 : 1))
                }
            }
            door.open()
            var done: Set<Int> = []
            for try await value in group { done.insert(value) }
            #expect(done == [1, 2])
        }
        #expect(try await desk.run(for: acme) { _ in 4 } == 4)
        #expect(try await desk.run(for: globex) { _ in 5 } == 5)
    }

    @Test("A job whose task is cancelled hears of it, and one that waits is not begun")
    func cancellation() async throws {
        let acme = try #require(Self.acme)
        let (desk, door) = (Self.desk(), Door())
        let begun = Counter()
        try await withThrowingTaskGroup(of: Bool.self) { group in
            group.addTask {
                do {
                    _ = try await desk.run(for: acme) { isCancelled in
                        door.pass()
                        return isCancelled()
                    }
                    return false
                } catch is CancellationError {
                    return true
                }
            }
            await door.someone()
            group.addTask {
                do {
                    _ = try await desk.run(for: acme) { _ in begun.increment() }
                    return false
                } catch is CancellationError {
                    return true
                }
            }
            group.cancelAll()
            door.open()
            for try await wasCancelled in group { #expect(wasCancelled) }
        }
        #expect(begun.value == 0)
    }
}
