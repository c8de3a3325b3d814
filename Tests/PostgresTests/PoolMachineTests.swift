import Testing

@testable import Postgres

@Suite("The pool's decisions")
struct PoolMachineTests {
    private let start = ContinuousClock.now
    private let later = ContinuousClock.now + .seconds(9)
    private let away = PostgresError(.connectionFailed, "away")

    private func machine(_ minimum: Int = 0, _ maximum: Int = 2, waiters: Int = 3) -> PoolMachine<Int> {
        PoolMachine(limits: .init(minimum: minimum, maximum: maximum, maximumWaiters: waiters))
    }

    @Test("lend the warmest connection first and serve waiters in their order")
    func order() {
        var pool = machine()
        for id in 1...3 { #expect(pool.lease(UInt64(id), until: later).isWait) }
        #expect(pool.claimOpenings() == 2)
        #expect(pool.claimOpenings() == 0)
        #expect(pool.opened(10, now: start).handed == [10, 1])
        #expect(pool.opened(20, now: start).handed == [20, 2])
        #expect(pool.release(20, now: start).handed == [20, 3])
        #expect(pool.release(10, now: start).handed.isEmpty)
        #expect(pool.release(20, now: start).handed.isEmpty)
        #expect(pool.takeIdle() == 20)
        #expect(pool.takeIdle() == 10)
    }

    @Test("refuse the waiter that is too many, and forget one that is cancelled or late")
    func bounds() {
        var pool = machine(waiters: 2)
        #expect(pool.lease(1, until: start).isWait)
        #expect(pool.lease(2, until: later).isWait)
        #expect(pool.lease(3, until: later).refusal?.kind == .poolExhausted)
        #expect(pool.expire(now: start) == [1])
        #expect(pool.cancel(2) == true)
        #expect(pool.cancel(2) == false)
        #expect(pool.waiterCount == 0)
    }

    @Test("answer at once while the server is away, try one connection at a time, and recover")
    func serverAway() {
        var pool = machine()
        #expect(pool.lease(1, until: later).isWait)
        #expect(pool.lease(2, until: later).isWait)
        #expect(pool.claimOpenings() == 2)
        let (refused, first) = pool.openFailed(away)
        #expect(refused == [1, 2])
        #expect(!first.isRetry)
        #expect(pool.openFailed(away).1.isRetry)
        #expect(pool.lease(3, until: later).refusal?.kind == .connectionFailed)
        #expect(pool.claimOpenings() == 0)
        #expect(pool.opened(1, now: start).handed.isEmpty)
        #expect(pool.failure == nil)
        #expect(pool.takeIdle() == 1)
    }

    @Test("let waiters wait for lent connections when no more can be made")
    func lentRemain() {
        var pool = machine()
        #expect(pool.lease(1, until: later).isWait)
        _ = pool.claimOpenings()
        #expect(pool.opened(10, now: start).handed == [10, 1])
        #expect(pool.lease(2, until: later).isWait)
        #expect(pool.claimOpenings() == 1)
        #expect(pool.openFailed(away).0.isEmpty)
        #expect(pool.release(10, now: start).handed == [10, 2])
    }

    @Test("close what is cold and dead, but keep the minimum open")
    func upkeep() {
        var pool = machine(1, 4)
        for number in 1...4 {
            _ = pool.lease(UInt64(number), until: later)
            _ = pool.claimOpenings()
            _ = pool.opened(number, now: start)
        }
        for number in 1...4 { _ = pool.release(number, now: number < 4 ? start : later) }
        pool.removeIdle { $0 == 2 }
        #expect(pool.open == 3)
        #expect(pool.removeCold(since: later) == [1, 3])
        #expect(pool.removeCold(since: later + .seconds(1)) == [])
        #expect(pool.open == 1)
        _ = pool.takeIdle()
        pool.discarded()
        #expect(pool.claimOpenings() == 1)
    }

    @Test("refuse everybody after the end")
    func closing() {
        var pool = machine()
        _ = pool.lease(1, until: later)
        _ = pool.claimOpenings()
        _ = pool.opened(10, now: start)
        _ = pool.lease(2, until: later)
        let (waiters, connections) = pool.close()
        #expect(waiters == [2])
        #expect(connections.isEmpty)
        #expect(pool.lease(3, until: later).refusal?.kind == .poolClosed)
        if case .close(10) = pool.release(10, now: start) {} else { Issue.record("should close") }
        #expect(pool.claimOpenings() == 0)
    }
}

extension PoolMachine.Lease {
    fileprivate var isWait: Bool { if case .wait = self { true } else { false } }
    fileprivate var refusal: PostgresError? { if case .refuse(let error) = self { error } else { nil } }
}

extension PoolMachine.AfterFailure {
    fileprivate var isRetry: Bool { if case .retry = self { true } else { false } }
}

extension PoolMachine<Int>.Placement {
    /// Connection and waiter.
    fileprivate var handed: [Int] {
        if case .hand(let connection, let id) = self { [connection, Int(id)] } else { [] }
    }
}
