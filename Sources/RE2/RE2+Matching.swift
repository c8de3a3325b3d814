extension RE2 {
    /// An instruction of a compiled pattern. Targets are relative to the instruction.
    enum Instruction: Sendable {
        /// One character of the text.
        case character(CharacterSet)
        case assertion(Assertion)
        /// Both ways are tried.
        case split(Int, Int)
        case jump(Int)
        /// Something that is not carried out here (`\C`).
        case unknown
    }

    enum Assertion: Sendable {
        case beginOfText, endOfText, beginOfLine, endOfLine, wordBoundary, noWordBoundary

        static let escapes: [(text: String, Assertion)] = [
            ("\\b", .wordBoundary), ("\\B", .noWordBoundary), ("\\A", .beginOfText), ("\\z", .endOfText),
        ]
    }

    /// - Parameter alternatives: at least one.
    static func anyOf(_ alternatives: [[Instruction]]) -> [Instruction] {
        let end = alternatives.reduce(-2) { $0 + $1.count + 2 }
        var code: [Instruction] = []
        code.reserveCapacity(end)
        for alternative in alternatives.dropLast() {
            code.append(.split(1, alternative.count + 2))
            code += alternative
            code.append(.jump(end - code.count))
        }
        return code + (alternatives.last ?? [])
    }

    /// - Parameter to: `nil` for no end.
    static func repeated(_ code: [Instruction], from low: Int, to high: Int?) -> [Instruction] {
        var result: [Instruction] = []
        for _ in 0..<low { result += code }
        if let high {
            for _ in low..<max(high, low) { result += [.split(1, code.count + 1)] + code }
        } else {
            result += [.split(1, code.count + 2)] + code + [.jump(-code.count - 1)]
        }
        return result
    }

    /// The steps of a match that is given no budget.
    private static let maxSteps = 5_000_000

    /// Matches as ``matches(_:_:_:)`` does, with a budget of its own.
    package static func matches(_ regex: String, _ text: String) -> Bool? {
        var budget = StepBudget(maxSteps)
        return matches(regex, text, &budget)
    }

    /// Whether the whole of `text` fits `regex`, as Envoy compares.
    ///
    /// All ways through the pattern are followed side by side (Thompson's construction, as in RE2 itself), so the steps are at
    /// most the product of both lengths, whatever the pattern.
    ///
    /// - Parameter budget: is charged for every step; what it has left is what may still be done.
    /// - Returns: `nil` if that cannot be said: the pattern is not valid, needs scripts of Unicode, or the budget is spent.
    package static func matches(_ regex: String, _ text: String, _ budget: inout StepBudget) -> Bool? {
        guard regex.utf8.count <= maxLength, budget.spend(regex.utf8.count + text.utf8.count) else { return nil }
        var parser = Parser(Array(regex.utf8))
        let parsed = try? parser.parse()
        guard budget.spend(parser.copied), let code = parsed else { return nil }
        var matcher = Matcher(code: code, text: Array(text.unicodeScalars), budget: budget)
        defer { budget = matcher.budget }
        return matcher.run()
    }

    private struct Matcher {
        let code: [Instruction]
        let text: [Unicode.Scalar]
        /// The instructions that are reached at the present character, without doubles.
        var reached: [Int] = []
        /// For each instruction the position at which it was last reached.
        var reachedAt: [Int]
        var budget: StepBudget

        init(code: [Instruction], text: [Unicode.Scalar], budget: StepBudget) {
            self.code = code
            self.text = text
            self.budget = budget
            reachedAt = [Int](repeating: -1, count: code.count + 1)
        }

        mutating func run() -> Bool? {
            guard add(0, at: 0) else { return nil }
            for (position, scalar) in text.enumerated() {
                let current = reached
                reached = []
                guard budget.spend(current.count) else { return nil }
                for index in current {
                    guard index < code.count, case .character(let set) = code[index] else { continue }
                    guard let fits = set.contains(scalar) else { return nil }
                    if fits, !add(index + 1, at: position + 1) { return nil }
                }
                if reached.isEmpty { return false }
            }
            return reached.contains(code.count)
        }

        /// Follows everything that takes no character.
        ///
        /// - Returns: whether that could be done.
        private mutating func add(_ start: Int, at position: Int) -> Bool {
            var open = [start]
            while let index = open.popLast() {
                guard budget.spend(1) else { return false }
                guard reachedAt[index] != position else { continue }
                reachedAt[index] = position
                guard index < code.count else {
                    reached.append(index)
                    continue
                }
                switch code[index] {
                case .character: reached.append(index)
                case .assertion(let assertion): if holds(assertion, at: position) { open.append(index + 1) }
                case .split(let a, let b): open += [index + a, index + b]
                case .jump(let offset): open.append(index + offset)
                case .unknown: return false
                }
            }
            return true
        }

        private func holds(_ assertion: Assertion, at position: Int) -> Bool {
            let before = position > 0 ? text[position - 1] : nil
            let after = position < text.count ? text[position] : nil
            switch assertion {
            case .beginOfText: return before == nil
            case .endOfText: return after == nil
            case .beginOfLine: return before == nil || before == "\n"
            case .endOfLine: return after == nil || after == "\n"
            case .wordBoundary: return isWord(before) != isWord(after)
            case .noWordBoundary: return isWord(before) == isWord(after)
            }
        }

        private func isWord(_ scalar: Unicode.Scalar?) -> Bool {
            guard let scalar, scalar.isASCII else { return false }
            return scalar == "_" || RE2.isAlphanumeric(UInt8(scalar.value))
        }
    }
}
