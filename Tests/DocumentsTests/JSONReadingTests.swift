import Documents
import Foundation
import TestSupport
import Testing

@Suite("A JSON text")
struct JSONReadingTests {
    @Test(
        "is read to the values that it means",
        arguments: [
            ("null", nil), (" true ", true), ("[false,0,1]", [false, 0, 1]), ("-0", 0), ("1.0", 1), ("1e2", 100),
            ("1.5", .number(1.5)), ("\"\\u00e9\\ud83d\\ude00\\n\"", "é😀\n"), ("\"\"", ""), ("[]", []), ("{}", [:]),
            ("{\"a\":[1,{\"b\":null}]}", ["a": [1, ["b": nil]]]), ("{\"a\":1,\"a\":2}", ["a": 2]),
        ] as [(String, JSONValue)])
    func reads(text: String, value: JSONValue) throws {
        #expect(try Self.read(text) == value)
    }

    @Test(
        "has integers of 64 bits, and doubles of what is larger or broken",
        arguments: [
            ("9223372036854775807", .integer(.max)), ("-9223372036854775808", .integer(.min)),
            ("-9223372036854775807", .integer(.min + 1)), ("9223372036854775808", .number(0x1p63)),
            ("18446744073709551615", .number(0x1p64)),
            ("123456789012345678901234567890", .number(1.2345678901234568e29)),
            ("9007199254740993", .integer(9_007_199_254_740_993)), ("4456323231217567.5", .number(4456323231217567.5)),
            ("939219088236.00012207031250000000", .number(939219088236.0001)), ("1e-400", 0),
        ] as [(String, JSONValue)])
    func numbers(text: String, value: JSONValue) throws {
        #expect(try Self.read(text) == value)
    }

    @Test("gives every number back that is printed, however many digits it has")
    func exactNumbers() throws {
        let seed = UInt64.random(in: .min ... .max)
        var generator = SeededGenerator(seed: seed)
        for _ in 0..<5_000 {
            let integer =
                Int64.random(in: .min ... .max, using: &generator) >> Int64.random(in: 0..<64, using: &generator)
            #expect(try Self.read("\(integer)") == .integer(integer), "seed \(seed)")
            let doubles = [
                Double(bitPattern: .random(in: .min ... .max, using: &generator)),
                .random(in: -1...1, using: &generator), .random(in: -1e15...1e15, using: &generator),
            ]
            // Above 2^53 the shortest text of a double is not the integer that the double is.
            for double in doubles where double.isFinite && !(0x1p53..<0x1p63).contains(abs(double)) {
                let expected = Int64(exactly: double).map(JSONValue.integer) ?? .number(double)
                #expect(try Self.read("\(double)") == expected, "seed \(seed)")
            }
        }
    }

    @Test(
        "that is broken is refused with a reason",
        arguments: [
            "", " ", "{", "[1", "{\"a\"}", "{\"a\":}", "{a:1}", "1 1", "01", "1.", ".5", "+1", "-", "1e", "nul",
            "NaN", "Infinity", "'a'", "\"a", "\"\\x\"", "\"\\ud800\"", "\"\n\"", "// 1", "[1]]", "1e400",
        ])
    func broken(text: String) {
        let fault = #expect(throws: JSONFault.self) { try Self.read(text) }
        #expect(fault?.reason.isEmpty == false)
    }

    @Test("may have a comma too many at the end of an array or object")
    func leniency() throws {
        #expect(try Self.read("[1,]") == [1])
        #expect(try Self.read("{\"a\":1,}") == ["a": 1])
    }

    @Test("may nest as deep as the stack is safe", arguments: ["[", "{\"a\":"])
    func depth(opening: String) throws {
        let closing = opening == "[" ? "]" : "}"
        func nested(_ levels: Int) -> String {
            String(repeating: opening, count: levels) + "1" + String(repeating: closing, count: levels)
        }
        #expect(try Self.read(nested(500)).depth == 500)
        for levels in [513, 100_000] {
            #expect(throws: JSONFault.self) { try Self.read(nested(levels)) }
        }
    }

    private static func read(_ text: String) throws -> JSONValue { try JSONValue(json: Data(text.utf8)) }
}
