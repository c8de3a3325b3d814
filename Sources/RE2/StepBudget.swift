/// How much work something may still take, in steps: what is counted is the same on every machine.
package struct StepBudget: Sendable {
    package private(set) var left: Int
    /// Once there was not enough.
    package private(set) var isSpent = false
    private let isCancelled: @Sendable () -> Bool
    private var untilAsked = StepBudget.interval

    /// Steps between two looks at whether anybody still waits.
    private static let interval = 10_000

    /// - Parameter isCancelled: whether nobody waits for the result any more; then the budget counts as spent.
    package init(_ steps: Int, isCancelled: @escaping @Sendable () -> Bool = { false }) {
        left = steps
        self.isCancelled = isCancelled
    }

    /// - Returns: whether there were so many left. If not, nothing is done any more.
    package mutating func spend(_ steps: Int) -> Bool {
        guard !isSpent, steps <= left else {
            isSpent = true
            return false
        }
        left -= steps
        untilAsked -= steps
        if untilAsked <= 0 {
            untilAsked = Self.interval
            isSpent = isCancelled()
        }
        return !isSpent
    }
}
