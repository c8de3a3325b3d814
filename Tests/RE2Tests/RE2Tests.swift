import RE2
import Testing

@Suite("Regexes are checked as RE2 would take them")
struct RE2Tests {
    @Test(arguments: [
        "", "a", "a|b", "(a)(b)", "a*", "a+?", "a{2}", "a{2,}", "a{2,3}?", "a{1000}", "a{,2}", "a{01}", "{", "a{",
        "x{2}{",
        "(?i)a", "(?i:a)", "(?s-m:a)", "(?P<name>a)", "(?<name>a)", "(?P<n>a)(?P<n>b)", "(?)", "^*", "(|a)*", "()",
        "[a-z]", "[]a]", "[^]a]", "[a-]", "[-a]", "[[:alpha:]]", "[[:^digit:]]", "[[:alpha]", "[\\d-]", "[\\d-z]",
        "[\\]]", "\\d\\D\\s\\S\\w\\W", "\\b\\B\\A\\z\\C", "\\Qa.b*\\E", "\\Q(", "a*\\Q\\E*", "\\pL", "\\p{Greek}",
        "\\p{^Lu}", "\\PN", "\\x41", "\\x{10FFFF}", "\\0", "\\01", "\\12", "\\377", "\\n\\t\\a\\f\\v\\r", "\\.\\-\\_",
        "é日𝒳", "(a{10}){100}", "^(.*?;)?(user=jason)(;.*)?", "/item/[0-9]+", "\\Q\\E", "a(?i)*",
    ])
    func accepted(_ regex: String) {
        #expect(RE2.problem(in: regex) == nil)
    }

    @Test(arguments: [
        ("(?=a)", "look-around"), ("(?!a)", "look-around"), ("(?<=a)", "look-around"), ("(?<!a)", "look-around"),
        ("(a)\\1", "back-reference"), ("(?P=name)", "not supported"), ("(?>a)", "not supported"),
        ("(?#a)", "not supported"),
        ("a**", "bad repetition operator"), ("a++", "bad repetition operator"), ("a{2}*", "bad repetition operator"),
        ("a*+", "bad repetition operator"), ("a??+", "bad repetition operator"), ("*", "nothing to repeat"),
        ("(*)", "nothing to repeat"), ("a|*", "nothing to repeat"), ("{2}", "nothing to repeat"),
        ("\\Q\\E*", "nothing to"),
        ("a{1001}", "bad repetition"), ("a{3,2}", "bad repetition"), ("(a{100}){11}", "nested repetitions"),
        ("((a{10}){10}){11}", "nested repetitions"), ("(", "missing \")\""), ("(a", "missing \")\""),
        ("a)", "unexpected"),
        ("(?i", "missing"), ("(?", "missing"), ("(?-)", "not supported"), ("(?i-)", "not supported"),
        ("(?z)", "not supported"),
        ("[", "missing \"]\""), ("[a", "missing \"]\""), ("[]", "missing \"]\""), ("[^]", "missing \"]\""),
        ("[z-a]", "bad range"), ("[a-\\d]", "unknown escape"), ("[[:foo:]]", "unknown class"), ("\\", "trailing"),
        ("\\q", "unknown escape"), ("\\Z", "unknown escape"), ("\\8", "unknown escape"), ("\\x", "unknown escape"),
        ("\\x4", "unknown escape"), ("\\x{110000}", "unknown escape"), ("\\x{}", "unknown escape"),
        ("\\p{Foo}", "unknown Unicode class"), ("\\p{", "unknown Unicode class"), ("\\pX", "unknown Unicode class"),
        ("\\p", "trailing"), ("(?P<na me>a)", "bad name"), ("(?P<>a)", "bad name"), ("(?P<n", "bad name"),
        ("[\\pL\\d]{1000}", "too large"), (String(repeating: "(", count: 4000), "missing"),
        (String(repeating: "a", count: 4097), "longer than"), (String(repeating: "(a{1000})", count: 400), "too large"),
        ("\\E", "unknown escape"), ("\\é", "unknown escape"),
    ])
    func refused(_ regex: String, _ problem: String) throws {
        #expect(try #require(RE2.problem(in: regex)).contains(problem))
    }

    @Test(arguments: [
        ("a.c", "abc", true), ("a.c", "a\nc", false), ("(?s)a.c", "a\nc", true), ("a", "ab", false), ("b", "ab", false),
        ("^(.*?;)?(user=jason)(;.*)?", "a=b;user=jason;c=d", true),
        ("^(.*?;)?(user=jason)(;.*)?", "user=jasonx", false),
        ("(?i)straße", "STRAßE", true), ("[^a]", "\n", true), ("\\w+\\b", "abc_1", true),
        ("(a|ab)(c|bcd)", "abcd", true),
        ("a{2,3}", "a", false), ("a{2,3}", "aaa", true), ("a{0}", "", true), ("(?m)^a$\n^b$", "a\nb", true),
        ("\\pL+", "日é", true), ("\\p{Lu}", "a", false), ("[[:^alpha:]]", "1", true), ("\\Qa.b\\E", "a.b", true),
        ("()", "", true), ("(a*)*", "aaaa", true),
    ])
    func matching(_ regex: String, _ text: String, _ expected: Bool) {
        #expect(RE2.matches(regex, text) == expected)
    }

    @Test("Patterns that backtracking engines choke on take no longer than others")
    func noPatternIsSlow() {
        #expect(RE2.matches("(a|aa)*b", String(repeating: "a", count: 5000)) == false)
        #expect(RE2.matches("(a*)*b", String(repeating: "a", count: 5000)) == false)
    }

    @Test(arguments: ["\\p{Greek}", "\\C", "("])
    func whatCannotBeSaidIsNotGuessed(_ regex: String) { #expect(RE2.matches(regex, "α") == nil) }

    @Test(arguments: ["a.b*c", "()[]{}|^$\\+?-", "é日"])
    func quotedTextMatchesItself(_ text: String) {
        #expect(RE2.problem(in: RE2.quoted(text)) == nil)
        #expect(RE2.matches(RE2.quoted(text), text) == true)
    }
}
