import Documents
import MeshCore
import Testing

@Suite("A condition that cannot be said inside a longer text is refused with its pointer")
struct ContentMatchTests {
    @Test(
        arguments: [
            (["cookies": ["group": ["regex": "a$b"]]], "/cookies/group/regex"),
            (["path": ["regex": "/a^"]], "/path/regex"),
        ] as [(JSONValue, String)])
    func refuses(_ document: JSONValue, _ pointer: String) {
        let log = ViolationLog()
        var fields = FieldReader(document, at: .root, log: log)
        _ = ContentMatch(reading: &fields)
        #expect(log.violations.map(\.pointer.description) == [pointer])
    }

    @Test func takesAnchorsAtTheEnds() {
        let log = ViolationLog()
        var fields = FieldReader(["cookies": ["group": ["regex": "^beta-.*$"]]], at: .root, log: log)
        #expect(ContentMatch(reading: &fields) != nil)
        #expect(log.violations.isEmpty)
    }
}
