import Parallel
import Synchronization
import Testing

@Suite("Mapping on all processors")
struct MapInParallelTests {
    @Test(arguments: [0, 1, 9, 10, 11, 20, 999, 1000, 1001])
    func isMap(_ count: Int) {
        let calls = Mutex<[Int: Int]>([:])
        let mapped = Array(0..<count).mapInParallel(sharesOf: 10) { number in
            calls.withLock { $0[number, default: 0] += 1 }
            return "\(number)"
        }
        #expect(mapped == (0..<count).map { "\($0)" })
        #expect(calls.withLock { $0 } == Dictionary(uniqueKeysWithValues: (0..<count).map { ($0, 1) }))
    }

    @Test func canBeNested() {
        let sums = Array(0..<50).mapInParallel(sharesOf: 1) { outer in
            Array(0..<50).mapInParallel(sharesOf: 1) { outer * $0 }.reduce(0, +)
        }
        #expect(sums == (0..<50).map { $0 * 1225 })
    }
}
