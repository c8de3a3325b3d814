internal import MeshCore
internal import MeshModel

/// The conditions of one mesh that stand in the database, and when those of an object may be written again. No I/O, no
/// clock: time is counted in ticks.
///
/// A new condition is written at once. Conditions that change again soon wait until ``pause`` is over and are written
/// as they are then, so that an endpoint that comes and goes does not make a write each time.
struct ConditionBook {
    /// In ticks: how long the conditions of an object stay as they were written.
    let pause: Int
    private(set) var written: [ObjectKey: [ObjectCondition]]
    private var restingUntil: [ObjectKey: Int] = [:]

    init(_ written: [ObjectKey: [ObjectCondition]], pause: Int) {
        self.written = written
        self.pause = pause
    }

    /// The changes to write now, for the conditions that there should be.
    ///
    /// - Returns: all conditions of the objects of which some are different, with their times as far as they are known; and
    ///   whether that is everything, or something has to wait.
    mutating func due(
        _ wanted: [ObjectKey: [ObjectCondition]], at tick: Int
    ) -> (changes: [ObjectKey: [ObjectCondition]], isAll: Bool) {
        restingUntil = restingUntil.filter { $0.value > tick }
        var changes: [ObjectKey: [ObjectCondition]] = [:]
        var isAll = true
        for key in Set(wanted.keys).union(written.keys) {
            let (old, new) = (written[key] ?? [], wanted[key] ?? [])
            if old.count == new.count, zip(old, new).allSatisfy({ $0.says($1) }) { continue }
            if restingUntil[key] != nil {
                isAll = false
            } else {
                changes[key] = new.map { condition in old.first { $0.says(condition) } ?? condition }
            }
        }
        return (changes, isAll)
    }

    /// - Parameter skipped: those of the changes that could not be written: of these objects nothing stands there, and what does
    ///   next does not have to wait.
    mutating func note(
        _ changes: [ObjectKey: [ObjectCondition]], at tick: Int, skipped: Set<ObjectKey> = []
    ) {
        for (key, conditions) in changes where !skipped.contains(key) {
            written[key] = conditions.isEmpty ? nil : conditions
            restingUntil[key] = tick + pause
        }
        for key in skipped { written[key] = nil }
    }

    /// Whether something that changes now would have to wait.
    func isResting(at tick: Int) -> Bool { restingUntil.values.contains { $0 > tick } }
}
