import Documents
import MeshCore
import MeshFixtures
import MeshModel
import Testing

@Suite("Which mesh of a name it is")
struct MeshLifeTests {
    @Test("is read as it was written, and nothing else is")
    func texts() {
        let life = MeshLife(tenant: "t", mesh: "m", since: 7)
        #expect(life.description == "t/m/7" && MeshLife("t/m/7") == life)
        for text in ["", "t/m", "t/m/", "t/m/x", "t/m/7/8", "7"] { #expect(MeshLife(text) == nil, "\(text)") }
    }
}
