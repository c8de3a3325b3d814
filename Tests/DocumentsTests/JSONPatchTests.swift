import Documents
import MeshFixtures
import TestSupport
import Testing

@Suite("The difference between two documents")
struct JSONPatchTests {
    @Test(
        "says what has to be done, by names where elements have them",
        arguments: [
            (["a": 1], ["a": 1], []),
            (["a": 1, "b": 2], ["b": 3, "c": [1]], ["remove /a", "replace /b", "add /c"]),
            ([1, 2], [2], ["remove /0"]),
            (
                [["name": "x", "w": 1], ["name": "y"]], [["name": "n"], ["name": "x", "w": 2], ["name": "y"]],
                ["add /0", "replace /1/w"]
            ),
            ([["name": "x"], ["name": "y"]], [["name": "y"], ["name": "x"]], ["remove /1", "add /0"]),
            ([["name": "x"], ["name": "x"]], [["name": "x"], ["name": "z"], ["name": "x"]], ["add /1"]),
            (["a/b": ["~": 1]], ["a/b": ["~": 2]], ["replace /a~1b/~0"]),
            ([1], ["a": 1], ["replace "]),
        ] as [(JSONValue, JSONValue, [String])])
    func operations(_ row: (old: JSONValue, new: JSONValue, lines: [String])) throws {
        let lines = (JSONPatch(from: row.old, to: row.new).json.arrayValue ?? []).map {
            "\($0["op"]?.stringValue ?? "") \($0["path"]?.stringValue ?? "?")"
        }
        #expect(lines == row.lines)
        #expect(try JSONPatch(from: row.old, to: row.new).applied(to: row.old) == row.new)
    }

    @Test("makes the one of the other, whatever they are")
    func law() throws {
        var random = SeededGenerator(seed: 3)
        for _ in 0..<3000 {
            let (old, new) = (Self.document(&random, depth: 4), Self.document(&random, depth: 4))
            #expect(try JSONPatch(from: old, to: new).applied(to: old) == new)
            let changed = Self.changed(old, &random)
            #expect(try JSONPatch(from: old, to: changed).applied(to: old) == changed)
            #expect(JSONPatch(from: old, to: old).operations == [])
        }
    }

    private static func document(_ random: inout SeededGenerator, depth: Int) -> JSONValue {
        switch Int.random(in: 0..<(depth == 0 ? 2 : 5), using: &random) {
        case 0: return .integer(Int64.random(in: 0...3, using: &random))
        case 1: return .string(["x", "y", "~/"].randomElement(using: &random) ?? "")
        case 2:
            return .object(
                ["name", "a", "b/~"].reduce(into: [:]) { members, name in
                    if Bool.random(using: &random) { members[name] = document(&random, depth: depth - 1) }
                })
        default:
            return .array((0..<Int.random(in: 0...4, using: &random)).map { _ in document(&random, depth: depth - 1) })
        }
    }

    private static func changed(_ value: JSONValue, _ random: inout SeededGenerator) -> JSONValue {
        switch value {
        case .array(var elements):
            if Bool.random(using: &random) { elements.insert(document(&random, depth: 1), at: 0) }
            if !elements.isEmpty, Bool.random(using: &random) { elements.removeLast() }
            return .array(elements.map { changed($0, &random) })
        case .object(let members): return .object(members.mapValues { changed($0, &random) })
        default: return Int.random(in: 0..<5, using: &random) == 0 ? document(&random, depth: 1) : value
        }
    }
}
