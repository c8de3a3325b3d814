import Documents
import TestSupport
import Testing

@testable import MeshAPI

@Suite("JSON text")
struct JSONTests {
    @Test(
        "is refused when it nests too deep, in whatever way",
        arguments: [65, 500, 513, 100_000], ["[", "{\"a\":", "[{\"a\":"])
    func depth(levels: Int, opening: String) throws {
        let closing = opening == "[" ? "]" : opening == "{\"a\":" ? "}" : "}]"
        let text = String(repeating: opening, count: levels) + "1" + String(repeating: closing, count: levels)
        #expect(throws: JSONText.Failure.self) { try JSONText.parse(Array(text.utf8)) }
    }

    @Test(
        "is refused when it is not what can be stored",
        arguments: [
            Array("\"\\u0000\"".utf8), [0x22, 0xff, 0x22], [0x22, 0xc3, 0x28, 0x22], [0xfe, 0xff, 0, 0x31], [],
            [0x31, 0x20, 0x31],
        ])
    func refused(bytes: [UInt8]) {
        #expect(throws: JSONText.Failure.self) { try JSONText.parse(bytes) }
    }

    @Test("comes back as it was printed")
    func roundTrip() throws {
        let value: JSONValue = [
            "text": "quote \" backslash \\ control \u{1f} delete \u{7f} smile 😀",
            "numbers": [.number(0.1), .integer(.min)],
            "empty": [:], "list": [nil, false],
        ]
        #expect(try JSONText.parse(JSONText.print(value)) == value)
    }

    @Test("that is broken anywhere is refused, never trapped on")
    func mutations() throws {
        let seeds = [Fixture.reviews, Fixture.release].map(JSONText.print)
        let seed = UInt64.random(in: .min ... .max)
        var generator = SeededGenerator(seed: seed)
        for round in 0..<20_000 {
            var bytes = seeds[round % seeds.count]
            for _ in 0..<Int.random(in: 1...4, using: &generator) {
                let place = Int.random(in: 0..<bytes.count, using: &generator)
                switch Int.random(in: 0..<3, using: &generator) {
                case 0: bytes[place] = UInt8.random(in: .min ... .max, using: &generator)
                case 1: bytes.remove(at: place)
                default: bytes.insert(contentsOf: bytes[place..<min(bytes.count, place + 9)], at: place)
                }
            }
            if let value = try? JSONText.parse(bytes) {
                #expect(try JSONText.parse(JSONText.print(value)) == value, "seed \(seed)")
            }
        }
    }
}

@Suite("Hostile bodies")
struct HostileBodyTests {
    /// What stands in place of some part of a good document.
    private static let junk: [JSONValue] = [
        nil, true, -1, 0, .integer(.max), .integer(.min), .number(1.5), .number(-1e300), "", "x", "../..", [], [[]],
        [:],
        ["a": ["b": []]], .string(String(repeating: "y", count: 5000)), [nil, nil], "10s", "-5s", "999999999h",
    ]

    private static func mutate(_ value: JSONValue, _ generator: inout SeededGenerator) -> JSONValue {
        if Int.random(in: 0..<4, using: &generator) == 0 { return junk.randomElement(using: &generator) ?? .null }
        switch value {
        case .object(var members):
            guard let name = members.keys.sorted().randomElement(using: &generator), let member = members[name] else {
                return ["z": 1]
            }
            members[name] = mutate(member, &generator)
            return .object(members)
        case .array(var elements):
            guard let index = elements.indices.randomElement(using: &generator) else { return [1] }
            elements[index] = mutate(elements[index], &generator)
            return .array(elements)
        default: return junk.randomElement(using: &generator) ?? .null
        }
    }

    @Test("are never the server's fault")
    func neverInternalErrors() async throws {
        let rules: JSONValue = [
            "spec": [
                "hosts": ["reviews"],
                "http": [
                    [
                        "match": [["uri": ["prefix": "/"], "headers": ["a": ["regex": "b+"]]]], "timeout": "5s",
                        "route": [["destination": ["host": "reviews", "subset": "v1"], "weight": 100]],
                        "fault": ["delay": ["percentage": ["value": 10], "fixedDelay": "5s"]],
                    ]
                ],
            ]
        ]
        try await Fixture.run { api in
            try await api.prepare()
            let targets = [
                ("/services/x", Fixture.reviews), ("/services/reviews/endpoints/x", Fixture.endpoint("v1", 80)),
                ("/virtualServices/x", rules), ("/releases/x", Fixture.release),
            ]
            let seed = UInt64.random(in: .min ... .max)
            var generator = SeededGenerator(seed: seed)
            for round in 0..<4_000 {
                let (path, good) = targets[round % targets.count]
                let body = Self.mutate(good, &generator)
                let method = round % 3 == 0 ? "PATCH" : "PUT"
                let answer = try await api.send(
                    method, Fixture.shop + path + "?validateOnly=true", body,
                    method == "PATCH" ? ["If-Match": "*"] : [:])
                #expect(answer.status < 500, "seed \(seed): \(method) \(path) \(body): \(answer.text)")
            }
        }
    }
}
