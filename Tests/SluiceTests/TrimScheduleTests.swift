import Testing

@testable import sluice

@Suite("When memory is returned")
struct TrimScheduleTests {
    private static let megabyte = 1 << 20
    private var schedule = TrimSchedule()

    /// - Returns: at which of the looks it was time. Trimming leaves what `left` says.
    private mutating func trims(_ looks: [Int], left: Int) -> [Int] {
        looks.indices.filter { index in
            let isDue = schedule.isDue(looks[index] * Self.megabyte)
            if isDue { schedule.trimmed(to: left * Self.megabyte) }
            return isDue
        }
    }

    @Test mutating func waitsUntilMemoryNoLongerGrows() {
        #expect(trims([40, 80, 120, 121, 121], left: 60) == [4])
    }

    @Test mutating func isOnceForEachPeak() {
        #expect(trims([100, 100, 60, 62, 75, 75, 60, 130, 129, 60, 60], left: 60) == [1, 8])
    }

    @Test mutating func growthThatStaysIsTakenForAPeakOnce() {
        #expect(trims([100, 100, 100, 100, 110, 110, 124, 124], left: 100) == [1])
        #expect(trims([126, 126, 126, 126], left: 126) == [1])
    }

    @Test mutating func littleIsNotWorthIt() {
        #expect(trims([10, 15, 15, 15], left: 5) == [])
        #expect(trims([17, 17, 17], left: 5) == [1])
        #expect(trims([20, 20, 20], left: 5) == [])
        #expect(trims([22, 22, 22], left: 5) == [1])
    }

    @Test mutating func whatBecameFreeWithoutAPeakIsReturnedInTime() {
        let most = TrimSchedule.mostLooks
        #expect(trims(Array(repeating: 100, count: 2), left: 100) == [1])
        #expect(trims(Array(repeating: 100, count: 2 * most), left: 100) == [most - 1, 2 * most - 1])
    }

    @Test mutating func theFirstLookIsNoPeak() {
        #expect(trims([500], left: 60) == [])
    }
}
