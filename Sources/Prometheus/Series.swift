internal import CoreMetrics
internal import Synchronization

/// A number, or several, under one name with one set of labels. Handles lead here, without any table in between.
protocol Series: AnyObject, Sendable {
    /// - Parameter labels: as they are written, without braces.
    func write(_ name: String, _ labels: String, to text: inout Exposition)
}

final class CounterSeries: Series, CounterHandler {
    private let count = Atomic<UInt64>(0)

    func increment(by amount: Int64) { count.wrappingAdd(UInt64(clamping: amount), ordering: .relaxed) }
    func reset() { count.store(0, ordering: .relaxed) }

    func write(_ name: String, _ labels: String, to text: inout Exposition) {
        text.sample(name, labels, "\(count.load(ordering: .relaxed))")
    }
}

final class GaugeSeries: Series, MeterHandler, RecorderHandler {
    private let value = Mutex(0.0)

    func set(_ value: Int64) { set(Double(value)) }
    func set(_ value: Double) { self.value.withLock { $0 = value } }
    func increment(by amount: Double) { value.withLock { $0 += amount } }
    func decrement(by amount: Double) { value.withLock { $0 -= amount } }
    func record(_ value: Int64) { set(value) }
    func record(_ value: Double) { set(value) }

    func write(_ name: String, _ labels: String, to text: inout Exposition) {
        text.sample(name, labels, Exposition.number(value.withLock { $0 }))
    }
}

final class HistogramSeries: Series, TimerHandler, RecorderHandler {
    private struct State {
        /// The count of each bucket by itself; the last one is for what is above all bounds.
        var counts: [UInt64]
        var sum = 0.0
    }

    private let bounds: [Double]
    private let state: Mutex<State>

    init(bounds: [Double]) {
        self.bounds = bounds
        state = Mutex(State(counts: Array(repeating: 0, count: bounds.count + 1)))
    }

    func recordNanoseconds(_ duration: Int64) { record(Double(max(0, duration)) / 1e9) }
    func record(_ value: Int64) { record(Double(value)) }

    func record(_ value: Double) {
        guard !value.isNaN else { return }
        let bucket = bounds.firstIndex { value <= $0 } ?? bounds.count
        state.withLock {
            $0.counts[bucket] += 1
            $0.sum += value
        }
    }

    /// Buckets are cumulative: each counts what is in those below it too.
    func write(_ name: String, _ labels: String, to text: inout Exposition) {
        let state = state.withLock { $0 }
        var count: UInt64 = 0
        for (bound, ownCount) in zip(bounds + [.infinity], state.counts) {
            count += ownCount
            let bucket = "le=\"\(Exposition.number(bound))\""
            text.sample("\(name)_bucket", labels.isEmpty ? bucket : "\(labels),\(bucket)", "\(count)")
        }
        text.sample("\(name)_sum", labels, Exposition.number(state.sum))
        text.sample("\(name)_count", labels, "\(count)")
    }
}
