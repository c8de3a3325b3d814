import Testing

@testable import MeshIdentity

@Suite("Base64URL")
struct Base64URLTests {
    @Test("any bytes come back", arguments: 1...70)
    func roundTrip(_ length: Int) {
        let bytes = (0..<length).map { UInt8(truncatingIfNeeded: $0 &* 89 &+ length) }
        let text = Base64URL.encode(bytes)
        #expect(text.utf8.count == (length * 4 + 2) / 3)
        #expect(Base64URL.decode(text[...]) == bytes)
    }

    @Test("every single byte and every pair of bytes with it come back")
    func allBytes() {
        for byte in UInt8.min ... .max {
            #expect(Base64URL.decode(Base64URL.encode([byte])[...]) == [byte])
            #expect(Base64URL.decode(Base64URL.encode([byte, ~byte])[...]) == [byte, ~byte])
        }
    }

    /// RFC 4648 section 10, without the padding; the last two use the letters that are base64url's own.
    @Test(
        "the vectors of RFC 4648",
        arguments: [
            ("Zg", "f"), ("Zm8", "fo"), ("Zm9v", "foo"), ("Zm9vYg", "foob"), ("Zm9vYmE", "fooba"),
            ("Zm9vYmFy", "foobar"),
            ("fn5-", "~~~"), ("Pz8_", "???"),
        ])
    func vectors(_ text: String, _ plain: String) {
        #expect(Base64URL.encode(Array(plain.utf8)) == text)
        #expect(Base64URL.decode(text[...]) == Array(plain.utf8))
    }

    @Test(
        "padding, the other alphabet, blanks, line breaks, impossible lengths and anything else are refused",
        arguments: [
            "", "=", "Zg=", "Zg==", "Zm8=", "Zm9v=", "fn5+", "Pz8/", " Zm9v", "Zm9v ", "Zm 9v", "Zm9v\n", "Zm9v\r\n",
            "Zm9v\0",
            "Z", "Zm9vY", "Zm9vYmFyZ", "Zm9v.", "Zm9v!", "Zm9%76", "Zmé", "Zm9\u{FF56}", "Z\u{0301}g", "\u{1F600}",
            "----\u{FEFF}",
        ])
    func invalid(_ text: String) {
        #expect(Base64URL.decode(text[...]) == nil)
    }

    @Test("of the texts whose spare bits differ only the one that is made of the bytes is read")
    func spareBits() {
        let alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
        // Two characters hold one byte and four spare bits; three hold two bytes and two.
        #expect(alphabet.filter { Base64URL.decode("Z\($0)") != nil } == "AQgw")
        #expect(alphabet.filter { Base64URL.decode("Zm\($0)") != nil }.count == 16)
        #expect(alphabet.filter { Base64URL.decode("Zm9\($0)") != nil }.count == 64)
    }
}
