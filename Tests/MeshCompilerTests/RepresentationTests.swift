import Documents
import MeshCore
import MeshFixtures
import MeshModel
import Testing

@testable import MeshCompiler

@Suite("The representation of a mesh")
struct RepresentationTests {
    @Test("names of clusters are in the order of their text")
    func clusterNames() throws {
        let reviews = Host.service(try MeshDocument.namespaced("shop/reviews"))
        let (v1, v2) = (try MeshDocument.name("v1"), try MeshDocument.name("v2"))
        let names = [
            IR.ClusterName(host: reviews, port: 80, version: v1), IR.ClusterName(host: reviews, port: 80, version: v2),
            IR.ClusterName(host: reviews, port: 81, version: v1),
        ]
        #expect(names.reversed().sorted() == names)
        #expect(!(names[0] < names[0]) && names[0] == IR.ClusterName(host: reviews, port: 80, version: v1))
    }

    @Test("localities are sorted, and what they end with says nothing")
    func localities() {
        func endpoint(_ address: String, _ port: Int = 80, draining: Bool = false) -> IR.Endpoint {
            IR.Endpoint(address: address, port: port, weight: 3, isDraining: draining)
        }
        let all = IR.Locality.all([
            ("eu/b", endpoint("10.0.0.3")), ("eu/", endpoint("10.0.0.2")), ("eu", endpoint("10.0.0.1", 81)),
            ("", endpoint("10.0.0.4")),
            ("eu//", endpoint("10.0.0.1", draining: true)),
        ])
        #expect(all.map(\.path) == [[""], ["eu"], ["eu", "b"]])
        #expect(all[1].endpoints.map { "\($0.address):\($0.port)" } == ["10.0.0.1:80", "10.0.0.1:81", "10.0.0.2:80"])
        #expect(all.map(\.weight) == [3, 6, 3], "who drains gets no new requests")
        #expect(IR.Locality.all([("", endpoint("10.0.0.1", draining: true))])[0].weight == 1)
    }

    @Test("who sees a host")
    func visibility() throws {
        let (shop, ops) = (try MeshDocument.name("shop"), try MeshDocument.name("ops"))
        #expect(IR.Visibility.everybody.contains(shop))
        #expect(IR.Visibility.only([shop]).contains(shop) && !IR.Visibility.only([shop]).contains(ops))
        #expect(IR.Visibility.all(but: [shop]).contains(ops) && !IR.Visibility.all(but: [shop]).contains(shop))
    }
}
