import Documents
import GrayRelease
import MeshControl
import MeshCore
import MeshIdentity
import MeshModel
import MeshStore
import Testing

@Suite("A tenant has some meshes, and always the first")
struct MeshRulesTests {
    @Test("so many at most; one that is there may be written all the same")
    func limit() async throws {
        try await ControlFixture.runPrepared { fixture in
            for number in 1..<20 { try await fixture.put("meshes/m\(number)", [:]) }
            #expect(try await refusal { try await fixture.put("meshes/m20", [:]) } == "invalid:  tooMany")
            let named = try await fixture.put("meshes/m1", ["displayName": "One"])
            #expect(!named.created)
        }
    }
}
