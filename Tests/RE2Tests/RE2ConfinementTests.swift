import RE2
import Testing

@Suite("A regex inside a longer text ends before its terminator")
struct RE2ConfinementTests {
    @Test(
        arguments: [
            (".*beta", "xbeta", true), (".*beta", "alpha; theme=beta", false), ("^beta-.*$", "beta-7", true),
            ("\\Abeta\\z", "beta", true), ("[^x]+", "ab", true), ("[^x]+", "a;b", false), ("a;b", "a;b", false),
            ("[;-=]+", "<=", true), ("[;-=]+", ";", false), ("\\W", ";", false), ("\\W", "-", true),
            ("\\S+", "a;", false),
            ("\\D+", "a-", true), ("[[:^alpha:]]+", "1-", true), ("[[:^alpha:]]+", "1;", false),
            ("[[:punct:]]", ":", true),
            ("[[:punct:]]", ";", false), ("\\P{Lu}", "a", true), ("(?s).+", "a;", false),
            ("(?i)BETA.", "beta1", true), ("(?i)BETA.", "beta;", false), ("(^a|b$)", "a", true), ("(^a|b$)", "b", true),
            ("\\Qa;b\\E", "a;b", false), ("\\Qa.b\\E", "a.b", true), ("\\Qa.b\\E", "axb", false), ("\\x3b", ";", false),
            ("\\ba.c\\b", "abc", true), ("a{2,3}", "aaa", true), ("(?P<n>.)x", ";x", false), ("[^\\S;]", " ", true),
        ] as [(String, String, Bool)])
    func staysInside(_ regex: String, _ text: String, _ fits: Bool) throws {
        // What has a class in it that holds the terminator among others may be refused instead.
        guard let confined = try? RE2.confined(regex, before: ";") else {
            #expect(["\\P{Lu}"].contains(regex))
            return
        }
        #expect(RE2.problem(in: confined) == nil)
        #expect(RE2.matches(confined, text) == fits, "\(confined)")
    }

    @Test(arguments: ["a^b", "a$b", "(a$|b)c", "(^a)*", "^*", "(?m)x^", "\\C", "\\p{Po}", "[\\P{L}]", "(", "x(^|a)"])
    func whatCannotBeSaidIsRefused(_ regex: String) {
        #expect(throws: RE2.Unconfinable.self) { try RE2.confined(regex, before: ";") }
    }

    @Test(arguments: ["[a-z]+", "(?:v1|v2)-\\d{1,3}", "(?i)x", "é+", "\\.\\*"])
    func whatCannotReachItIsLeftAlone(_ regex: String) throws {
        #expect(try RE2.confined(regex, before: ";") == regex)
    }
}
