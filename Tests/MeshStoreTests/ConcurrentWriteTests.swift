import Documents
import MeshCore
import MeshModel
import MeshStore
import TestSupport
import Testing

@Suite("Concurrent writes")
struct ConcurrentWriteTests {
    @Test(
        "of two who create the same object the second one begins again and finds the first one's",
        arguments: [false, true])
    func create(isLast: Bool) async throws {
        try await withStore { store in
            let runs = Counter()
            let objects = try await withThrowingTaskGroup(of: StoredObject.self) { group in
                let first = try await store.write { transaction in
                    let first = try await transaction.put(.service("cart"), metadata: ObjectLabels(), spec: ["by": 1])
                    group.addTask {
                        try await store.write { transaction in
                            runs.increment()
                            return try await transaction.put(
                                .service("cart"), metadata: ObjectLabels(), spec: ["by": 2], isLast: isLast)
                        }
                    }
                    try await store.untilSomebodyWaits()
                    return first
                }
                return (first, try await group.next())
            }
            let second = try #require(objects.1)
            #expect(objects.0.createTime == objects.0.updateTime)
            #expect(runs.value == 2)
            #expect(second.updateTime > second.createTime)
            #expect(second.uid == objects.0.uid)
            #expect(second.generation == 2)
        }
    }

    @Test("who has looked and found none does not replace what was created since, but begins again")
    func createdSince() async throws {
        try await withStore { store in
            let runs = Counter()
            let seen = try await store.write { transaction in
                runs.increment()
                let old = try await transaction.fetch(.service("cart"), forUpdate: true)
                if runs.value == 1 { try await store.create(.service("cart"), spec: ["by": 1]) }
                if let old { return old }
                return try await transaction.put(
                    .service("cart"), metadata: ObjectLabels(), spec: ["by": 2], isNew: true, isLast: true)
            }
            #expect(seen.spec == ["by": 1] && runs.value == 2)
            #expect(try await store.fetch(.service("cart")) == seen)
        }
    }

    @Test("who has fetched an object for update is the only one to write it until the end")
    func compareAndWrite() async throws {
        try await withStore { store in
            let cart = try await store.create(.service("cart"), spec: ["n": 0])
            let outcomes = try await withThrowingTaskGroup(of: Bool.self) { group in
                for number in 1...10 {
                    group.addTask {
                        try await store.replace(cart.key, at: cart.generation, with: ["n": .integer(Int64(number))])
                    }
                }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(outcomes.filter { $0 }.count == 1)
            #expect(try await store.fetch(cart.key)?.generation == 2)
        }
    }

    @Test("no update is lost when many count the same object up")
    func counting() async throws {
        try await withStore { store in
            _ = try await store.create(.service("cart"), spec: ["n": 0])
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<20 {
                    group.addTask {
                        try await store.write { transaction in
                            let old = try await transaction.fetch(.service("cart"), forUpdate: true)
                            let count = old?.spec["n"]?.integerValue ?? -100
                            _ = try await transaction.put(
                                .service("cart"), metadata: ObjectLabels(), spec: ["n": .integer(count + 1)])
                        }
                    }
                }
                try await group.waitForAll()
            }
            #expect(try await store.fetch(.service("cart"))?.spec == ["n": 20])
        }
    }

    @Test("a write and a deletion of one object never wait for each other in a circle")
    func lockOrder() async throws {
        try await withStore { store in
            _ = try await store.create(.service("cart"))
            let runs = Counter()
            try await withThrowingTaskGroup(of: Void.self) { group in
                try await store.write { transaction in
                    runs.increment()
                    _ = try await transaction.fetch(.service("cart"), forUpdate: true)
                    group.addTask {
                        try await store.write { transaction in
                            runs.increment()
                            try await transaction.delete(.service("cart"))
                        }
                    }
                    try await store.untilSomebodyWaits()
                    // Takes the mesh's lock; with a deletion that held it this would be a deadlock.
                    _ = try await transaction.put(.service("cart"), metadata: ObjectLabels(), spec: ["n": 1])
                }
                try await group.waitForAll()
            }
            #expect(try await store.fetch(.service("cart")) == nil)
            #expect(runs.value == 2, "after a deadlock one of the two runs again")
        }
    }

    @Test("who only holds an object waits for nobody who does too; whoever would delete or change it waits for both")
    func holding() async throws {
        try await withStore { store in
            let cart = try await store.create(.service("cart"), spec: ["n": 1])
            try await withThrowingTaskGroup(of: Void.self) { group in
                try await store.write { first in
                    #expect(try await first.hold([cart.key]) == [cart.key: cart])
                    try await store.write { second in
                        #expect(try await second.hold([cart.key]) == [cart.key: cart])
                        _ = try await second.put(.service("second"), metadata: ObjectLabels(), spec: [:])
                    }
                    group.addTask {
                        try await store.write { transaction in
                            let old = try await transaction.fetch(cart.key, forUpdate: true)
                            #expect(try await transaction.fetch([.service("first")]).count == 1, "the holder was done")
                            #expect(old == cart)
                            try await transaction.delete(cart.key)
                        }
                    }
                    try await store.untilSomebodyWaits()
                    #expect(try await store.fetch(cart.key) == cart)
                    _ = try await first.put(.service("first"), metadata: ObjectLabels(), spec: [:])
                }
                try await group.waitForAll()
            }
            #expect(try await store.fetch(cart.key) == nil)
        }
    }

    @Test("an update is later than the one before it, even if its transaction began earlier")
    func updateTimes() async throws {
        try await withStore { store in
            let first = try await store.create(.service("cart"))
            let times = try await store.write { transaction in
                // The transaction's time is now that of this statement.
                _ = try await transaction.fetch(.service("other"), forUpdate: false)
                let between = try await store.create(.service("cart"), spec: ["n": 1])
                let last = try await transaction.put(.service("cart"), metadata: ObjectLabels(), spec: ["n": 2])
                return [between.updateTime, last.updateTime]
            }
            #expect(first.updateTime < times[0])
            #expect(times[0] < times[1])
        }
    }
}

extension MeshStore {
    /// Optimistic concurrency as `MeshControl` does it: compares under the lock, then writes.
    fileprivate func replace(_ key: ObjectKey, at generation: Int64, with spec: JSONValue) async throws -> Bool {
        try await write { transaction in
            guard try await transaction.fetch(key, forUpdate: true)?.generation == generation else { return false }
            _ = try await transaction.put(key, metadata: ObjectLabels(), spec: spec)
            return true
        }
    }
}
