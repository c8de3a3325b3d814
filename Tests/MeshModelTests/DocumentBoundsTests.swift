import Documents
import MeshCore
import MeshModel
import RE2
import Testing

@Suite("What one document may cause")
struct DocumentBoundsTests {
    @Test("The regexes of one object have a limit together; beyond it they are not even read")
    func object() throws {
        let large: JSONValue = ["uri": ["regex": "(?i)/?(?:[/a-z]*){990}!"]]
        let document: JSONValue = [
            "hosts": ["reviews"],
            "http": [
                ["match": .array(Array(repeating: large, count: 64)), "route": [["destination": ["host": "reviews"]]]]
            ],
        ]
        let log = ViolationLog()
        #expect(VirtualServiceSpec.read(document, at: .spec, log: log) == nil)
        let violation = try #require(log.violations.first)
        #expect(log.violations.count == 1 && violation.code == .tooMany)
        #expect(violation.detail.contains("at most 100000 instructions (limit regexSizePerObject)"))
        let size = try RE2.size(of: "(?i)/?(?:[/a-z]*){990}!")
        let fitting = Limits.regexSizePerObject.value / size
        #expect(violation.pointer.description == "/spec/http/0/match/\(fitting)/uri/regex")
        #expect(log.regexSize <= Limits.regexSizePerObject.value + size)
        // What was stored before there was a limit is left to the compiler.
        let stored = try #require(
            VirtualServiceSpec.read(document, at: .spec, log: ViolationLog(ofStored: true)))
        #expect(stored.http[0].match.count == 64 && stored.http[0].match[0].regexSize == size)
    }

    @Test("A document's violations are listed up to a limit, with a word about the rest")
    func violations() throws {
        let fields = Dictionary(uniqueKeysWithValues: (0..<5_000).map { ("x\($0)", JSONValue.null) })
        let document = JSONValue.object(fields.merging(["hosts": 1, "http": 1]) { first, _ in first })
        let log = ViolationLog()
        #expect(VirtualServiceSpec.read(document, at: .spec, log: log) == nil)
        let all = log.violationsAndUnknownFields
        #expect(all.count == 101 && all.first?.pointer.description == "/spec/hosts")
        let last = try #require(all.last)
        #expect(last.pointer == .root && last.code == .tooMany)
        #expect(last.detail == "and 4902 more; listed are at most 100 violations (limit violations)")
        // Also those that are not listed make a document invalid.
        let full = ViolationLog()
        for _ in 0..<100 { full.report(.root, .required, "is required") }
        #expect(ServiceSpec.read(["ports": 1], at: .root, log: full) == nil)
        #expect(full.count > 100)
    }
}

extension JSONPointer {
    fileprivate static let spec = JSONPointer(["spec"])
}
