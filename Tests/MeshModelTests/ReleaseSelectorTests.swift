import Documents
import GrayRelease
import MeshCore
import MeshModel
import ReleaseFixtures
import Testing

@Suite("The selector of a release's side")
struct ReleaseSelectorTests {
    @Test(
        "must not contradict the labels of its version",
        arguments: [
            (#"{}"#, []), (#"{"version": "v1"}"#, []), (#"{"team": "x"}"#, []),
            (#"{"version": "v2"}"#, ["/spec/stable/selector/version conflict"]),
            (
                #"{"team": "x", "version": "v2", "zone": "b"}"#,
                ["/spec/stable/selector/version conflict", "/spec/stable/selector/zone conflict"]
            ),
        ] as [(String, [String])])
    func selector(_ selector: String, _ expected: [String]) throws {
        let labels = #"{"version": "v1", "zone": "a"}"#
        let service = try #require(
            ServiceSpec.read(
                try JSON.parse(
                    #"{"ports": [{"name": "http", "port": 80}], "versions": [{"name": "v1", "labels": \#(labels)}, {"name": "v2"}]}"#
                ), at: .root, log: ViolationLog()))
        let release = try #require(
            ReleaseSpec.read(
                try JSON.parse(
                    #"{"service": "a", "stable": {"version": "v1", "selector": \#(selector)}, "canary": {"version": "v2", "selector": {"version": "v9"}}, "strategy": {"type": "canary"}}"#
                ), at: .root, log: ViolationLog()))
        let log = ViolationLog()
        release.check(against: service, at: JSONPointer(["spec"]), log: log)
        #expect(log.violations.map { "\($0.pointer) \($0.code.rawValue)" } == expected)
    }
}
