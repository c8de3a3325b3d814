import Testing

@testable import XDSServer

@Suite("What clients say when they refuse")
struct NackMessageTests {
    private static let verdict = "Proto constraint validation failed (RouteValidationError.Match: is required)"

    @Test(
        "is kept as it is, but for the message that Envoy repeats",
        arguments: [
            ("no such cluster", "no such cluster"), ("", ""),
            ("goo.gle/debugproto  \nname: \"http_proxy\"\n: \(verdict)\n", "\(verdict)\n"),
            ("cluster a: goo.gle/debugonly \nname: \"a\"\n: \(verdict)", "cluster a: \(verdict)"),
            // What is repeated may say anything.
            ("goo.gle/debugstr name: \"\(verdict)\" : \(verdict)", verdict),
            ("\(verdict) goo.gle/debugstr name: \"a\"", "\(verdict) goo.gle/debugstr name: \"a\""),
            ("goo.gle/debugstr name: \"a\"", "goo.gle/debugstr name: \"a\""),
        ])
    func text(_ message: String, _ expected: String) {
        #expect(NackMessage.text(message) == expected)
    }

    @Test("is kept up to 4096 characters, and what matters of a long one is among them")
    func long() {
        #expect(NackMessage.text(String(repeating: "a", count: 100_000)).count == 4_096)
        let dump = String(repeating: "value: \"a\"\n", count: 100_000)
        #expect(NackMessage.text("goo.gle/debugproto \(dump): \(Self.verdict)") == Self.verdict)
        #expect(NackMessage.text(String(repeating: Self.verdict, count: 1_000)).count == 4_096)
    }

    @Test("is read at its beginning and its end, however long it is", arguments: bothVariants)
    func endless(_ variant: Variant) throws {
        let message = "goo.gle/debug" + String(repeating: "é ", count: 1 << 20) + "b: " + Self.verdict
        #expect(NackMessage.readable(message).utf8.count <= NackMessage.maxRead + 20)
        #expect(NackMessage.text(NackMessage.readable(message)).hasPrefix(Self.verdict))

        var session = Session(variant, snapshot(1, [.cluster: ["a": "1", "b": "1"]]))
        try session.want(.cluster, [])
        try session.nack(#require(session.responses().first), message)
        #expect(session.machine.nack?.names == ["b"])
    }

    @Test("names what is refused, if it names it or there is only one thing; at most 20 names", arguments: bothVariants)
    func names(_ variant: Variant) throws {
        for (resources, complaint, expected) in [
            (["a": "1", "b": "1"], "Error adding/updating cluster(s) a: is bad", ["a"]),
            (["a": "1", "b": "1"], "something is bad", []),
            (["a": "1"], "something is bad", ["a"]),
        ] {
            var session = Session(variant, snapshot(1, [.cluster: resources]))
            try session.want(.cluster, [])
            let answer = try #require(session.responses().first)
            try session.nack(answer, complaint)
            let rejection = try #require(session.machine.nack)
            #expect(rejection.names == expected)
            #expect(
                rejection.version == session.machine.subscriptions.first?.delivery.lastVersion
                    && !rejection.version.isEmpty)
        }
        let many = Dictionary(uniqueKeysWithValues: (100..<150).map { ("c\($0)", "1") })
        var session = Session(variant, snapshot(1, [.cluster: many]))
        try session.want(.cluster, [])
        try session.nack(#require(session.responses().first), many.keys.joined(separator: " "))
        #expect(session.machine.nack?.names == (100..<120).map { "c\($0)" })
    }
}
