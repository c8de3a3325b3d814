import Documents
import MeshCore
import MeshFixtures
import MeshModel
import Testing

@Suite("Two conditions say the same")
struct ObjectConditionTests {
    @Test("if they differ in nothing but since when")
    func same() {
        let one = ObjectCondition(type: "Accepted", isTrue: false, reason: "Conflict", message: "why")
        var other = one
        other.since = Timestamp(microseconds: 7)
        #expect(one.says(other) && other.says(one) && one != other)
        other.message = "because"
        #expect(!one.says(other) && !other.says(one))
    }
}
