import Documents
import GrayRelease
import MeshCore
import MeshIdentity
import MeshModel
import MeshStore
import Testing

@testable import MeshControl

@Suite("The envelope of a document says what the URL says, or nothing")
struct ObjectDraftTests {
    private static let scope = ObjectScope(ControlFixture.mesh, namespace: .known("shop"), service: .known("reviews"))

    private static func read(_ document: JSONValue, name: String?) -> (draft: ObjectDraft, log: ViolationLog) {
        let log = ViolationLog()
        let draft = ObjectDraft(document, kind: .endpoint, scope: scope, name: name.flatMap(Name.init), log: log)
        return (draft, log)
    }

    private static func violations(_ document: JSONValue, name: String? = "e1") -> [String] {
        read(document, name: name).log.violationsAndUnknownFields.map(\.line)
    }

    @Test(
        "what it says of the object's place and kind must agree",
        arguments: [
            ([:], []),
            (["apiVersion": "sluice/v1", "kind": "Endpoint"], []),
            (["apiVersion": "sluice/v2"], ["/apiVersion invalidValue"]),
            (["kind": "Service"], ["/kind invalidValue"]),
            (["metadata": ["name": "e1", "tenant": "acme", "mesh": "default", "namespace": "shop"]], []),
            (["metadata": ["service": "reviews"]], []),
            (["metadata": ["name": "e2"]], ["/metadata/name conflict"]),
            (["metadata": ["name": "E 1"]], ["/metadata/name invalidFormat"]),
            (["metadata": ["tenant": "globex"]], ["/metadata/tenant invalidValue"]),
            (["metadata": ["mesh": "blue"]], ["/metadata/mesh invalidValue"]),
            (["metadata": ["namespace": "ops"]], ["/metadata/namespace invalidValue"]),
            (["metadata": ["service": "ratings"]], ["/metadata/service invalidValue"]),
            (["metadata": ["uid": "x", "generation": 3, "revision": 4, "createTime": "", "updateTime": ""]], []),
            (["status": ["phase": "Draft"]], []),
            (["metadata": ["owner": "me"]], ["/metadata/owner unknownField"]),
            (["statuses": [:]], ["/statuses unknownField"]),
        ] as [(JSONValue, [String])])
    func places(document: JSONValue, expected: [String]) {
        #expect(Self.violations(document) == expected)
    }

    @Test("the name stands in the body where the URL has none")
    func names() {
        #expect(Self.violations([:], name: nil) == ["/metadata/name required"])
        #expect(Self.violations(["metadata": [:]], name: nil) == ["/metadata/name required"])
        #expect(Self.violations(["metadata": ["name": "e7"]], name: nil) == [])
        #expect(Self.read(["metadata": ["name": "e7"]], name: nil).draft.name == Name("e7"))
    }

    @Test("labels and annotations have bounds")
    func bounds() {
        func map(_ count: Int, key: Int = 1, value: Int = 1) -> JSONValue {
            .object(
                Dictionary(
                    uniqueKeysWithValues: (0..<count).map { number in
                        let name = "\(number)"
                        let filler = String(repeating: "k", count: max(0, key - name.utf8.count))
                        return (filler + name, .string(String(repeating: "v", count: value)))
                    }))
        }
        let long = String(repeating: "k", count: 255) + "0"
        let rows: [(JSONValue, [String])] = [
            (["labels": map(64)], []),
            (["labels": map(65)], ["/metadata/labels tooMany"]),
            (["labels": ["": "v"]], ["/metadata/labels tooLong"]),
            (["labels": map(1, key: 256)], []),
            (["labels": map(1, key: 257)], ["/metadata/labels tooLong"]),
            (["labels": map(1, value: 256)], []),
            (["labels": map(1, value: 257)], ["/metadata/labels/0 tooLong"]),
            (["labels": map(1, key: 256, value: 257)], ["/metadata/labels/\(long) tooLong"]),
            (["annotations": map(1, value: 16 << 10)], []),
            (["annotations": map(1, value: (16 << 10) + 1)], ["/metadata/annotations/0 tooLong"]),
            // Names count, too: 16 of 16384 bytes would be the limit without them.
            (["annotations": map(16, value: (16 << 10) - 2)], []),
            (["annotations": map(16, value: 16 << 10)], ["/metadata tooLong"]),
            (["annotations": map(16, value: (16 << 10) - 2), "labels": map(1, value: 20)], ["/metadata tooLong"]),
        ]
        for (metadata, expected) in rows {
            #expect(Self.violations(["metadata": metadata]) == expected)
        }
    }

    @Test("labels, annotations and the spec are taken as they stand")
    func contents() {
        let draft = Self.read(
            ["metadata": ["labels": ["a": "b"], "annotations": ["c": "d"]], "spec": ["x": 1]], name: "e1"
        ).draft
        #expect(draft.metadata == ObjectLabels(labels: ["a": "b"], annotations: ["c": "d"]))
        #expect(draft.spec == ["x": 1])
        #expect(Self.read([:], name: "e1").draft.spec == [:])
    }
}
