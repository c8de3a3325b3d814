import Testing

@testable import XDSServer

@Suite("Caches of the last few")
struct RecentCacheTests {
    @Test("A value is made once, until so many others have come that it had to go")
    func eviction() {
        var cache = RecentCache<Int, String>(capacity: 3)
        var made: [Int] = []
        func ask(_ key: Int) {
            let value = cache.value(key) {
                made.append(key)
                return "\(key)"
            }
            #expect(value == "\(key)")
        }
        for key in [1, 2, 1, 3, 1, 2, 3] { ask(key) }
        #expect(made == [1, 2, 3])
        for key in [4, 2, 3, 1] { ask(key) }
        #expect(made == [1, 2, 3, 4, 1])
        #expect(cache.count == 3 && cache[2] == nil && cache[3] == "3")
    }

    @Test("Another value of a key takes the place of the one before, and nothing goes")
    func replacing() {
        var cache = RecentCache<String, Int>(capacity: 2)
        #expect(cache.insert(1, for: "a") == nil)
        #expect(cache.insert(2, for: "b") == nil)
        #expect(cache.insert(3, for: "a") == nil)
        #expect(cache["a"] == 3)
        #expect(cache.insert(4, for: "c") == 3, "the oldest is who came first")
        #expect(cache.removeOldest() == 2 && cache.removeOldest() == 4 && cache.removeOldest() == nil)
        #expect(cache.count == 0)
    }
}
