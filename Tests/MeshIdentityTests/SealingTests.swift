import MeshCore
import MeshIdentity
import Testing

@Suite("Sealing")
struct SealingTests {
    private static let key = DataKey()
    private static let place = SealedPlace(
        table: "sealed_value", tenant: "uid-1", row: ["Secret", "default", "shop", "", "db", "data/password"],
        column: "sealed")
    private static let plain = Secret(Array("correct horse battery staple".utf8))

    private static func keys(_ lines: String...) throws -> KeyEncryptionKeys {
        try KeyEncryptionKeys(Secret(lines.joined(separator: "\n")))
    }

    /// A line with a key of 32 equal bytes.
    private static func line(_ id: String, _ letter: String) -> String {
        "\(id):" + String(repeating: letter, count: 43) + "="
    }

    @Test("What was sealed opens in its place, is no part of what is stored, and never looks the same twice")
    func roundTrip() throws {
        let sealed = Self.key.seal(Self.plain, at: Self.place)
        #expect(try Self.key.open(sealed, at: Self.place).reveal() == Self.plain.reveal())
        #expect(sealed != Self.key.seal(Self.plain, at: Self.place))
        #expect(!String(decoding: sealed, as: UTF8.self).contains("horse"))
        #expect(try Self.key.open(Self.key.seal(Secret([]), at: Self.place), at: Self.place).reveal().isEmpty)
    }

    @Test("It opens in no other table, tenant, row or column, nor where the parts of a key are divided otherwise")
    func elsewhere() throws {
        let sealed = Self.key.seal(Self.plain, at: Self.place)
        var places: [SealedPlace] = []
        for change: (inout SealedPlace) -> Void in [
            { $0.table = "data_key" }, { $0.tenant = "uid-2" }, { $0.column = "wrapped" },
            { $0.row[2] = "bank" }, { $0.row[4] = "db2" }, { $0.row[5] = "data/user" }, { $0.row.removeLast() },
            { $0.row.append("") },
            {
                $0.row[2] = "sho"
                $0.row[3] = "p"
            },
        ] {
            var place = Self.place
            change(&place)
            places.append(place)
        }
        for place in places {
            #expect(throws: SealingFailure.notAuthentic, "\(place)") { try Self.key.open(sealed, at: place) }
        }
        #expect(throws: SealingFailure.notAuthentic) { try DataKey().open(sealed, at: Self.place) }
    }

    @Test("No bit of it can be changed, and nothing that is too short traps")
    func changed() throws {
        let sealed = Self.key.seal(Self.plain, at: Self.place)
        for index in sealed.indices {
            var other = sealed
            other[index] ^= 1
            #expect(throws: SealingFailure.notAuthentic) { try Self.key.open(other, at: Self.place) }
        }
        for length in 0..<sealed.count {
            #expect(throws: SealingFailure.notAuthentic) {
                try Self.key.open(Array(sealed.prefix(length)), at: Self.place)
            }
        }
    }

    @Test("A data key is wrapped by the first key-encryption key, opens with any, for its tenant and id only")
    func wrapping() throws {
        let (old, new) = (Self.line("old", "A"), Self.line("new", "B"))
        let (by, wrapped) = try Self.keys(old).wrap(Self.key, for: "uid-1")
        #expect(by == "old")
        let both = try Self.keys(new, old)
        #expect(both.current == "new" && both.ids == ["new", "old"])
        let opened = try both.unwrap(Self.key.id, wrapped, by: by, for: "uid-1")
        #expect(
            try opened.open(Self.key.seal(Self.plain, at: Self.place), at: Self.place).reveal() == Self.plain.reveal())
        #expect(throws: SealingFailure.notAuthentic) { try both.unwrap(Self.key.id, wrapped, by: by, for: "uid-2") }
        #expect(throws: SealingFailure.notAuthentic) { try both.unwrap("other", wrapped, by: by, for: "uid-1") }
        #expect(throws: SealingFailure.notAuthentic) { try both.unwrap(Self.key.id, wrapped, by: "new", for: "uid-1") }
        #expect(throws: SealingFailure.unknownKey("old")) {
            try Self.keys(new).unwrap(Self.key.id, wrapped, by: by, for: "uid-1")
        }
    }

    @Test("A line that is made is read; blanks, empty lines and comments are left aside")
    func lines() throws {
        let keys = try Self.keys(
            "# written by hand", "", "  " + KeyEncryptionKeys.newLine().reveal(), Self.line("b", "B"))
        #expect(keys.ids.count == 2 && keys.ids.last == "b")
        #expect("\(KeyEncryptionKeys.newLine())" == "<redacted>")
    }

    @Test(
        "What is no list of keys is refused by its line, and not repeated",
        arguments: [
            ("", "there is no key in it"), ("hunter2", "line 1 is not id:base64"),
            (":hunter2", "line 1 has an id that is not"), ("hun ter2:AAAA", "line 1 has an id that is not"),
            ("\nk:hunter2!", "line 2 has no base64"), ("k:aHVudGVyMg==", "line 1 has a key of 7 bytes; it must be 32"),
            (line("k", "A") + "\n" + line("k", "B"), "line 2 has an id that an earlier line has"),
            ((0...100).map { line("k\($0)", "A") }.joined(separator: "\n"), "there are more than 100 keys"),
        ])
    func mistakes(text: String, mistake: String) throws {
        let error = try #require(throws: KeyEncryptionKeys.Mistake.self) { try KeyEncryptionKeys(Secret(text)) }
        #expect(error.description.hasPrefix(mistake))
        #expect(!error.description.contains("hunter2") && !error.description.contains("aHVu"))
    }

    @Test("A digest depends on the key")
    func digest() throws {
        let (key, other) = (try Self.keys(Self.line("k", "A")), try Self.keys(Self.line("k", "B")))
        #expect(key.digest([1]) == key.digest([1]) && key.digest([1]).count == 32)
        #expect(key.digest([1]) != key.digest([2]) && key.digest([1]) != other.digest([1]))
    }
}
