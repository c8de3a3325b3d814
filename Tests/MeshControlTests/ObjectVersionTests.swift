import Documents
import GrayRelease
import MeshCore
import MeshIdentity
import MeshModel
import MeshStore
import Testing

@testable import MeshControl

@Suite("The version of an object, as clients have it")
struct ObjectVersionTests {
    @Test(
        "is read as it was written, and nothing else is",
        arguments: [
            ("918-1a2b3c4d", true), ("918-1a-2b", true), ("918-", false), ("918", false), ("-1a2b3c4d", false),
            ("x-1a2b3c4d", false), ("", false),
        ])
    func texts(text: String, isVersion: Bool) {
        #expect(ObjectVersion(text: text)?.text == (isVersion ? text : nil))
    }

    @Test("custom methods need none, and mind the one that they are given")
    func methods() throws {
        let object = StoredObject(
            key: try ControlFixture.key("clusters/dev"), uid: "1a2b3c4d-5e6f", generation: 1, revision: 7,
            metadata: ObjectLabels(), createTime: Timestamp(microseconds: 0), updateTime: Timestamp(microseconds: 0),
            spec: [:], status: [:])
        #expect(ObjectVersion(object).text == "7-1a2b3c4d")
        #expect(throws: Never.self) { try Precondition.none.checkIfGiven(object) }
        #expect(throws: Never.self) { try Precondition.oneOf([ObjectVersion(object)]).checkIfGiven(object) }
        #expect(throws: ControlError.self) { try Precondition.absent.checkIfGiven(object) }
        #expect(throws: ControlError.self) {
            try Precondition.oneOf([#require(ObjectVersion(text: "6-1a2b3c4d"))]).checkIfGiven(object)
        }
    }
}
