import MeshModel
import Testing

@Suite("A percent sign in a header's value")
struct HeaderFormatTests {
    @Test(
        "that Envoy reads as meant goes to it as it is",
        arguments: [
            "", "plain", "100%%", "%%", "%%%%", "%%REQ(x)%%", "%REQ(x-user)%", "a%REQ(:path?x-alternative):10%b",
            "%%%REQ(x)%%%", "%RESP(x)%%TRAILER(y)%", "%HOSTNAME%", "%START_TIME%", "%START_TIME(%Y-%m-%dT%H:%M:%S%z)%",
            "%START_TIME(%s.%3f)%", "%START_TIME(a b)%", "%DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT%", "\u{fc}%%\u{fc}",
        ])
    func good(_ value: String) {
        #expect(HeaderFormat.problem(in: value)?.detail == nil)
        #expect(HeaderFormat.escaped(value) == value)
    }

    @Test(
        "that it would not is refused when it is written, and stands for itself where it is stored already",
        arguments: [
            ("%", "%%", "the % at byte 0 begins no known command; one that stands for itself is written %%"),
            ("50% off", "50%% off", "the % at byte 2 begins no known command"),
            ("%%%", "%%%%", "the % at byte 2 begins no known command"),
            ("\u{fc}%", "\u{fc}%%", "at byte 2 "),
            ("%NOPE%", "%%NOPE%%", "the % at byte 0 begins no known command"),
            ("%ENVIRONMENT(HOME)%", "%%ENVIRONMENT(HOME)%%", "the environment of the sidecar, which may hold secrets"),
            ("%FILTER_STATE(a)%", "%%FILTER_STATE(a)%%", "not about the request"),
            ("%DYNAMIC_METADATA(a:b)%", "%%DYNAMIC_METADATA(a:b)%%", "not about the request"),
            ("%REQ%", "%%REQ%%", "must be %REQ(header)%"), ("%REQ()%", "%%REQ()%%", "must be %REQ(header)%"),
            ("%REQ(a b)%", "%%REQ(a b)%%", "must be"), ("%REQ(a?b?c)%", "%%REQ(a?b?c)%%", "must be"),
            ("%REQ(a?)%", "%%REQ(a?)%%", "must be"), ("%REQ(a%b)%", "%%REQ(a%%b)%%", "must be"),
            ("%REQ(a):-1%", "%%REQ(a):-1%%", "must be"), ("%REQ(a):999999%", "%%REQ(a):999999%%", "must be"),
            ("%REQ(a", "%%REQ(a", "must be"), ("%REQ(a)", "%%REQ(a)", "must be"),
            ("%PROTOCOL(x)%", "%%PROTOCOL(x)%%", "%PROTOCOL% at byte 0 has no arguments"),
            ("%PROTOCOL:3%", "%%PROTOCOL:3%%", "has no arguments"),
            ("%START_TIME(%n)%", "%%START_TIME(%%n)%%", "have a format such as"),
            ("%START_TIME(%3d)%", "%%START_TIME(%%3d)%%", "have a format such as"),
            ("%START_TIME()%", "%%START_TIME()%%", "have a format such as"),
            ("%START_TIME(%)%", "%%START_TIME(%%)%%", "have a format such as"),
            ("%HOSTNAME% is 50%", "%HOSTNAME% is 50%%", "at byte 16 "),
        ])
    func bad(_ value: String, _ escaped: String, _ detail: String) throws {
        let problem = try #require(HeaderFormat.problem(in: value))
        #expect(problem.detail.contains(detail), "\(problem.detail)")
        #expect(HeaderFormat.escaped(value) == escaped)
    }

    @Test func whatThereIsIsNamedToWhoeverNamesSomethingElse() {
        #expect(HeaderFormat.problem(in: "%NOPE%")?.choices == HeaderFormat.names)
        #expect(HeaderFormat.problem(in: "100%")?.choices == [])
    }

    @Test func aLongValueTakesNoLongTime() {
        let value = String(repeating: "%REQ(", count: 100_000)
        #expect(HeaderFormat.problem(in: value) != nil)
        #expect(HeaderFormat.escaped(value) == value.replacing("%", with: "%%"))
    }
}
