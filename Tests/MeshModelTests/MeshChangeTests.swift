import Documents
import GrayRelease
import MeshCore
import MeshFixtures
import MeshModel
import Testing

@Suite("A change of a mesh")
struct MeshChangeTests {
    @Test("is empty without names, is urgent with what is waited for, and takes others in")
    func changes() throws {
        let (a, b) = (try MeshDocument.namespaced("shop/a"), try MeshDocument.namespaced("shop/b"))
        var change = MeshChange()
        #expect(change.isEmpty && !change.isUrgent)
        change.services = [a]
        #expect(!change.isEmpty && !change.isUrgent && change[.service] == [a] && change[.endpoint] == [])
        change.services = []
        #expect(change.isEmpty && Array(change.kinds).isEmpty)
        for kind in [Kind.endpoint, .release] {
            var urgent = MeshChange()
            urgent[kind] = [a]
            #expect(urgent.isUrgent)
        }
        var merged = MeshChange()
        merged.services = [a]
        var other = MeshChange()
        other.services = [b]
        other.endpoints = [b]
        merged.merge(other)
        #expect(merged.services == [a, b] && merged.endpoints == [b] && !merged.everything)
        merged.merge(.all)
        #expect(merged.everything && !MeshChange.all.isEmpty)
        merged.merge(MeshChange())
        #expect(merged.everything)
    }

    @Test("a table keeps what is included")
    func tables() throws {
        var table = Table<Int>()
        for number in 0..<6 { table[try MeshDocument.namespaced("shop/n\(number)")] = number }
        #expect(table.filter { $0.value.isMultiple(of: 2) }.values.sorted() == [0, 2, 4])
        #expect(table.map(\.value).sorted() == Array(0..<6))
        #expect(Table<Int>().isEmpty && !table.isEmpty)
    }
}
