import Analysis
import TestSupport
import Testing

@Suite("Conditions of measurements")
struct ExpressionTests {
    @Test(
        arguments: [
            ("result >= 0.9", 0.9, true), ("result > 0.9", 0.9, false), ("result[0] < 1", 0.5, true),
            ("result [ 0 ] < 1", 0.5, true), ("result == 1 || result == 2", 2, true),
            ("result > 1 && result < 3", 2, true), ("!(result > 1)", 2, false), ("!true", 0, false),
            ("-result < 0", 2, true), ("result + 1 * 2 == 4", 2, true), ("(result + 1) * 2 == 6", 2, true),
            ("result - 1 - 1 == 0", 2, true), ("result != 2", 2, false), ("result <= 2e0", 2, true),
            ("true == (result > 1)", 2, true), ("true != (result > 1)", 2, false), ("true", 0, true),
            ("default(result, 7) == 7", nil, true), ("default(result[0], 7) == 2", 2, true),
            ("false || false || result == 2", 2, true), ("false && result == 2 || true", 2, true),
            ("result\n>\t1", 2, true), ("1.5e+1 == 15", 0, true), ("0.001 == 1e-3", 0, true),
        ] as [(String, Double?, Bool)])
    func holds(_ text: String, _ result: Double?, _ expected: Bool) throws {
        let expression = try Expression(text, hasBaseline: false)
        #expect(expression.evaluate(result: result, baseline: nil) == .success(expected))
        #expect(expression.text == text)
    }

    @Test(
        arguments: [
            ("", 1, "expected"), ("result", 1, "a condition must be a boolean"), ("1 + 2", 1, "must be a boolean"),
            ("result >", 9, "expected a number"), ("result > true", 10, "right side of > must be a number"),
            ("true < false", 1, "left side of < must be a number"), ("true == 1", 9, "must be a boolean"),
            ("1 == true", 6, "must be a number"), ("result && true", 1, "left side of && must be a boolean"),
            ("true || 1", 9, "right side of || must be a boolean"), ("!result", 2, "behind ! must be a boolean"),
            ("-true > 1", 2, "behind - must be a number"), ("result / 2 > 1", 8, "expected an operator or the end"),
            ("baseline > 1", 1, "baseline needs"), ("(result > 1", 12, "expected \")\""),
            ("result[1] > 1", 8, "expected \"0\""), ("result > 1 > 2", 12, "expected an operator"),
            ("default(result) > 1", 15, "expected \",\""), ("default(1, 2) > 1", 9, "expected result"),
            ("default(result, -1) > 1", 17, "expected a number"), ("result > 1.", 12, "expected a digit"),
            ("result > 1e", 12, "expected a digit"), ("result > 1e999", 10, "too large"), ("rsult > 1", 1, "expected"),
            ("result > 1 &", 12, "expected an operator"), ("result >= {{args.x}}", 11, "expected a number"),
            ("é", 1, "expected"), ("--1 < 2", 2, "expected"), ("a || b", 1, "expected"),
        ] as [(String, Int, String)])
    func refuses(_ text: String, _ column: Int, _ part: String) {
        let problem = #expect(throws: ExpressionProblem.self) { try Expression(text, hasBaseline: false) }
        #expect(problem?.column == column)
        #expect(problem?.text.contains(part) == true, "\(problem?.message ?? "")")
    }

    @Test func limitsLengthAndDepth() throws {
        func nested(_ depth: Int) -> String {
            String(repeating: "(", count: depth) + "result" + String(repeating: ")", count: depth) + " > 1"
        }
        #expect(throws: Never.self) { try Expression(nested(Expression.maxDepth), hasBaseline: false) }
        let problem = #expect(throws: ExpressionProblem.self) {
            try Expression(nested(Expression.maxDepth + 1), hasBaseline: false)
        }
        #expect(problem?.column == Expression.maxDepth + 1)
        let long = "result > 1" + String(repeating: " ", count: Expression.maxLength - 10)
        #expect(throws: Never.self) { try Expression(long, hasBaseline: false) }
        #expect(throws: ExpressionProblem.self) { try Expression(long + " ", hasBaseline: false) }
        let sum = Array(repeating: "(1)", count: 3 * Expression.maxDepth).joined(separator: "+")
        #expect(throws: Never.self) { try Expression("\(sum) == 48", hasBaseline: false) }
        let chain = "result > 1" + String(repeating: "*1", count: 123)
        #expect(try Expression(chain, hasBaseline: false).evaluate(result: 2, baseline: nil) == .success(true))
    }

    @Test(
        arguments: [
            ("result > 1", nil, 1, .noData), ("result > baseline", 1, nil, .noData), ("result > 1", .nan, 1, .noData),
            ("result > 1", .infinity, 1, .overflow), ("result * 1e308 > 1", 1e308, 1, .overflow),
            ("result + result - result > 1", 1.7e308, 1, .overflow), ("result > 1 || true", nil, 1, .noData),
            ("result > 1 && false", nil, 1, .noData), ("default(result, 1) > baseline", nil, nil, .noData),
        ] as [(String, Double?, Double?, EvaluationProblem)])
    func hasNoValue(_ text: String, _ result: Double?, _ baseline: Double?, _ problem: EvaluationProblem) throws {
        let expression = try Expression(text, hasBaseline: true)
        #expect(expression.evaluate(result: result, baseline: baseline) == .failure(problem))
    }

    @Test(arguments: [("true || result > 1", true), ("false && result > 1", false)])
    func looksNoFurtherThanItHasTo(_ text: String, _ expected: Bool) throws {
        #expect(try Expression(text, hasBaseline: false).evaluate(result: nil, baseline: nil) == .success(expected))
    }

    @Test(
        arguments: [
            ("result >= 0.9", 0.71, "0.71 < 0.9"), ("result < 0.97", 0.71, "0.71 < 0.97"),
            ("result - baseline > 0.1", 0.75, "0.25 > 0.1"), ("result > 1 && true", 0, nil), ("result > 1", nil, nil),
            ("result >= 0.9", 0.8999999999, "0.8999999999 < 0.9"), ("result <= 250", 300.1234567, "300.123 > 250"),
            ("result == 0", 1e-20, "1e-20 != 0"), ("result < 1", 1e300, "1e+300 >= 1"),
        ] as [(String, Double?, String?)])
    func tellsWhatDecided(_ text: String, _ result: Double?, _ expected: String?) throws {
        #expect(try Expression(text, hasBaseline: true).decision(result: result, baseline: 0.5) == expected)
    }

    @Test func survivesAnyText() {
        var random = SeededGenerator(seed: 7)
        let pieces = [
            "result", "[0]", "baseline", "default(", "(", ")", "&&", "||", "!", "-", "+", "*", "<", "<=", "==", "1",
            "0.5", "1e3", "true", "false", ",", " ", "é", "\u{0}", "{{args.x}}", ".", "e", "[",
        ]
        var valid = 0
        for _ in 0..<LongRun.count("SLUICE_FUZZ_RUNS", else: 20_000) {
            let count = Int.random(in: 0...12, using: &random)
            let text = (0..<count).map { _ in pieces[Int.random(in: 0..<pieces.count, using: &random)] }.joined()
            guard let expression = try? Expression(text, hasBaseline: true) else { continue }
            valid += 1
            let values: [Double?] = [nil, 0, 1, -1, .nan, .infinity, 1e308, .leastNonzeroMagnitude]
            for result in values { _ = expression.evaluate(result: result, baseline: 1) }
        }
        #expect(valid > 20)
    }

    @Test func survivesAnyBytes() {
        var random = SeededGenerator(seed: 8)
        let seed = Array("default(result, 1) >= 0.5 && (baseline * -2 < 1e3 || !true)".utf8)
        for _ in 0..<LongRun.count("SLUICE_FUZZ_RUNS", else: 20_000) {
            var bytes = seed
            for _ in 0..<Int.random(in: 1...4, using: &random) {
                let place = Int.random(in: 0..<bytes.count, using: &random)
                switch Int.random(in: 0..<3, using: &random) {
                case 0: bytes[place] = UInt8.random(in: 0...255, using: &random)
                case 1: bytes.remove(at: place)
                default: bytes.insert(bytes[Int.random(in: 0..<bytes.count, using: &random)], at: place)
                }
            }
            let text = String(decoding: bytes, as: UTF8.self)
            do throws(ExpressionProblem) {
                _ = try Expression(text, hasBaseline: true).evaluate(result: 1, baseline: nil)
            } catch {
                #expect((1...text.utf8.count + 1).contains(error.column), "\(text)")
            }
        }
    }
}
