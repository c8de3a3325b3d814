import Testing

@testable import sluice

@Suite("When memory is returned")
struct PeakDetectorTests {
    private static let megabyte = 1 << 20
    private var detector = PeakDetector()

    /// - Returns: at which of the looks a peak was over. Trimming leaves what `left` says.
    private mutating func peaks(_ looks: [Int], left: Int) -> [Int] {
        looks.indices.filter { index in
            let isPeak = detector.isAfterPeak(looks[index] * Self.megabyte)
            if isPeak { detector.trimmed(to: left * Self.megabyte) }
            return isPeak
        }
    }

    @Test mutating func waitsUntilMemoryNoLongerGrows() {
        #expect(peaks([40, 80, 120, 121, 121], left: 60) == [4])
    }

    @Test mutating func isOnceForEachPeak() {
        #expect(peaks([100, 100, 60, 62, 75, 75, 60, 130, 129, 60, 60], left: 60) == [1, 8])
    }

    @Test mutating func growthThatStaysIsTakenForAPeakOnce() {
        #expect(peaks([100, 100, 100, 100, 110, 110, 124, 124], left: 100) == [1])
        #expect(peaks([126, 126, 126, 126], left: 126) == [1])
    }

    @Test mutating func littleIsNotWorthIt() {
        #expect(peaks([10, 15, 15, 15], left: 5) == [])
        #expect(peaks([17, 17, 17], left: 5) == [1])
        #expect(peaks([20, 20, 20], left: 5) == [])
        #expect(peaks([22, 22, 22], left: 5) == [1])
    }

    @Test mutating func theFirstLookIsNoPeak() {
        #expect(peaks([500], left: 60) == [])
    }
}
