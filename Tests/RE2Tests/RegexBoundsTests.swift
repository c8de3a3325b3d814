import Testing

@testable import RE2

/// Work is counted in steps, which are the same on every machine.
@Suite("What a regex may cost")
struct RegexBoundsTests {
    private static func copied(_ regex: String) -> Int {
        var parser = RE2.Parser(Array(regex.utf8))
        _ = try? parser.parse()
        return parser.copied
    }

    @Test("Reading a pattern takes what its length is, however many alternatives it has", arguments: [100, 2_000])
    func alternatives(_ count: Int) {
        let regex = Array(repeating: "a", count: count).joined(separator: "|")
        #expect(RE2.problem(in: regex) == nil)
        #expect(Self.copied(regex) <= 4 * count)
        #expect(RE2.matches(Array(repeating: "ab", count: 99).joined(separator: "|") + "|cd|ef", "cd") == true)
        #expect(RE2.matches("a|b|c", "c") == true && RE2.matches("a|b|c", "d") == false)
        #expect(RE2.matches("(a|b|)(c|d)|e", "d") == true && RE2.matches("x(a|b|c)*y", "xabcbay") == true)
    }

    @Test("Groups in groups are not copied over and over")
    func nesting() throws {
        let plain = String(repeating: "(", count: 2_000) + "a" + String(repeating: ")", count: 2_000)
        #expect(RE2.problem(in: plain) == nil && Self.copied(plain) <= 10)
        // Each level stands behind something, or is repeated, so it has to be.
        for (open, close) in [("(a", ")"), ("(", ")*")] {
            let length = 4_000 / (open.utf8.count + close.utf8.count)
            let nested = String(repeating: open, count: length) + "b" + String(repeating: close, count: length)
            #expect(try #require(RE2.problem(in: nested)).contains("nested too deeply"))
            #expect(Self.copied(nested) <= RE2.maxCopied + 10_000)
        }
        let some = String(repeating: "(ab", count: 50) + String(repeating: ")?", count: 50)
        #expect(RE2.problem(in: some) == nil)
    }

    @Test("Matching takes no more steps than there are, and says so; what it took is charged")
    func budget() {
        let (regex, text) = ("(?i)/?(?:[/a-z]*){990}!", String(repeating: "/aaa", count: 1_000))
        #expect(RE2.problem(in: regex) == nil)
        var budget = StepBudget(100_000)
        #expect(RE2.matches(regex, text, &budget) == nil)
        #expect(budget.isSpent && budget.left >= 0)
        #expect(RE2.matches("a", "a", &budget) == nil, "nothing is done any more")

        var enough = StepBudget(100_000)
        #expect(RE2.matches("[a-z]+", "abc", &enough) == true)
        #expect(!enough.isSpent && (1..<200).contains(100_000 - enough.left))
    }

    @Test("Work for which nobody waits any more ends soon")
    func cancellation() {
        var budget = StepBudget(.max, isCancelled: { true })
        #expect(RE2.matches("(?:[/a-z]*){990}!", String(repeating: "/aaa", count: 1_000), &budget) == nil)
        #expect(budget.isSpent && Int.max - budget.left < 100_000)
    }
}
