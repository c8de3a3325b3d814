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
        _ = ContentMatch.read(document, at: .root, log: log)
        #expect(log.violations.map(\.pointer.description) == [pointer])
    }

    @Test func takesAnchorsAtTheEnds() {
        let log = ViolationLog()
        let document: JSONValue = ["cookies": ["group": ["regex": "^beta-.*$"]]]
        #expect(ContentMatch.read(document, at: .root, log: log) != nil)
        #expect(log.violations.isEmpty)
    }
}
