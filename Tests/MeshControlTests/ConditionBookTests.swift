import MeshCore
import MeshModel
import Testing

@testable import MeshControl

@Suite("Which conditions are written, and when")
struct ConditionBookTests {
    private static func key(_ name: String) throws -> ObjectKey {
        let mesh = MeshKey(tenant: try #require(Name("acme")), mesh: .defaultMesh)
        let full = NamespacedName(namespace: try #require(Name("shop")), name: try #require(Name(name)))
        return .namespaced(.virtualService, full, in: mesh)
    }

    private static func condition(_ message: String, since: Int64? = nil) -> ObjectCondition {
        ObjectCondition(
            type: "Accepted", isTrue: false, reason: "Conflict", message: message,
            since: since.map(Timestamp.init(microseconds:)))
    }

    @Test("what is new is written at once, and what is gone is taken away")
    func changes() throws {
        let (a, b) = (try Self.key("a"), try Self.key("b"))
        var book = ConditionBook([a: [Self.condition("old", since: 1)]], pause: 20)
        let (changes, isAll) = book.due([b: [Self.condition("new")]], at: 0)
        #expect(changes == [a: [], b: [Self.condition("new")]])
        #expect(isAll)
        book.note(changes, at: 0)
        #expect(book.due([b: [Self.condition("new")]], at: 1).changes.isEmpty)
    }

    @Test("what could not be written is not there, whatever was before, and does not have to wait")
    func skipped() throws {
        let (a, b) = (try Self.key("a"), try Self.key("b"))
        var book = ConditionBook([a: [Self.condition("old")]], pause: 20)
        let wanted = [a: [Self.condition("new")], b: [Self.condition("new")]]
        book.note(book.due(wanted, at: 0).changes, at: 0, skipped: [a])
        #expect(book.written == [b: [Self.condition("new")]])
        #expect(book.due(wanted, at: 1).changes == [a: [Self.condition("new")]])
        let old = wanted.merging([a: [Self.condition("old")]]) { $1 }
        #expect(book.due(old, at: 1).changes == [a: [Self.condition("old")]])
    }

    @Test("one that flaps is written at most once in each pause, and then as it is")
    func flapping() throws {
        let a = try Self.key("a")
        var book = ConditionBook([:], pause: 20)
        var writes: [Int] = []
        for tick in 0..<100 {
            // There in even ticks.
            let wanted = tick.isMultiple(of: 2) ? [a: [Self.condition("empty")]] : [:]
            let (changes, _) = book.due(wanted, at: tick)
            if changes.isEmpty { continue }
            writes.append(tick)
            book.note(changes, at: tick)
        }
        #expect(writes == [0, 21, 42, 63, 84])
        #expect(zip(writes, writes.dropFirst()).allSatisfy { $1 - $0 >= 20 })
        #expect(!book.isResting(at: 104))
    }

    @Test("what has to wait is said to, and does not hold up other objects")
    func waiting() throws {
        let (a, b) = (try Self.key("a"), try Self.key("b"))
        var book = ConditionBook([:], pause: 20)
        book.note(book.due([a: [Self.condition("one")]], at: 0).changes, at: 0)
        let (changes, isAll) = book.due([a: [Self.condition("two")], b: [Self.condition("one")]], at: 5)
        #expect(changes == [b: [Self.condition("one")]])
        #expect(!isAll)
        #expect(book.isResting(at: 5))
    }

    @Test("what stays keeps its time")
    func times() throws {
        let a = try Self.key("a")
        var book = ConditionBook([a: [Self.condition("one", since: 7)]], pause: 20)
        let changes = book.due([a: [Self.condition("two"), Self.condition("one")]], at: 0).changes
        #expect(changes == [a: [Self.condition("two"), Self.condition("one", since: 7)]])
    }
}
