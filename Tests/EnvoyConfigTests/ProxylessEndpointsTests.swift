import Documents
import EnvoyProtos
import MeshCompiler
import MeshFixtures
import MeshModel
import SwiftProtobuf
import Testing

@testable import EnvoyConfig

@Suite("gRPC clients are told the weights of endpoints by localities")
struct ProxylessEndpointsTests {
    /// Region, zone, subzone, the locality's weight, and the last parts of its addresses.
    private struct Locality: Hashable {
        var path: [String]
        var weight: UInt32
        var members: [String]

        init(_ path: [String], _ weight: UInt32, _ members: [String]) {
            self.path = path
            self.weight = weight
            self.members = members
        }
    }

    @Test func equalWeightsStayTogether() throws {
        let endpoints: JSONValue = [
            "a": Self.endpoint(1, "north/1", weight: 3), "b": Self.endpoint(2, "north/1", weight: 3),
        ]
        let expected = [Locality(["north", "1", ""], 6, ["1", "2"])]
        #expect(try Self.localities(endpoints, in: Self.proxyless) == expected)
        #expect(try Self.localities(endpoints, in: Self.outbound) == expected)
    }

    @Test func differentWeightsAreApart() throws {
        let endpoints: JSONValue = [
            "a": Self.endpoint(1, "north", weight: 1), "b": Self.endpoint(2, "north", weight: 8),
            "c": Self.endpoint(3, "north", weight: 1), "d": Self.endpoint(4, "south/1/x", weight: 2),
        ]
        #expect(
            try Self.localities(endpoints, in: Self.proxyless) == [
                Locality(["north", "", "/1"], 2, ["1", "3"]), Locality(["north", "", "/8"], 8, ["2"]),
                Locality(["south", "1", "x"], 2, ["4"]),
            ])
        #expect(
            try Self.localities(endpoints, in: Self.outbound) == [
                Locality(["north", "", ""], 10, ["1", "2", "3"]), Locality(["south", "1", "x"], 2, ["4"]),
            ])
    }

    @Test("What drains gets no new requests, so it weighs nothing; Envoy refuses a locality of weight 0")
    func draining() throws {
        let endpoints: JSONValue = [
            "a": Self.endpoint(1, "north", weight: 5, "draining"), "b": Self.endpoint(2, "north", weight: 5),
            "c": Self.endpoint(3, "south", weight: 5, "draining"),
        ]
        #expect(
            try Self.localities(endpoints, in: Self.proxyless) == [
                Locality(["north", "", ""], 5, ["1", "2"]), Locality(["south", "", ""], 1, ["3"]),
            ])
    }

    @Test("A locality is sent once, however it is spelt: gRPC refuses endpoints that have one twice")
    func unique() throws {
        let endpoints: JSONValue = [
            "a": Self.endpoint(1, "north", weight: 1), "b": Self.endpoint(2, "north/", weight: 1),
            "c": Self.endpoint(3, "north//", weight: 2), "d": Self.endpoint(4, "//", weight: 2),
            "e": Self.endpoint(5, "", weight: 2),
        ]
        #expect(
            try Self.localities(endpoints, in: Self.proxyless) == [
                Locality(["", "", ""], 4, ["4", "5"]), Locality(["north", "", "/1"], 2, ["1", "2"]),
                Locality(["north", "", "/2"], 2, ["3"]),
            ])
    }

    @Test func aWeightThatOnlyDividesIsAChange() throws {
        var state = try Self.state(["a": Self.endpoint(1, "", weight: 1), "b": Self.endpoint(2, "", weight: 1)])
        var compiler = Compiler()
        var encoder = ConfigEncoder()
        _ = encoder.update(compiler.update(state, .all), of: compiler)
        let name = try MeshDocument.namespaced("shop/reviews")
        state.endpoints[name]?[try MeshDocument.name("b")]?.spec.weight = 2
        var change = MeshChange()
        change.endpoints = [name]
        let encoded = encoder.update(compiler.update(state, change), of: compiler)
        for view in try [Self.proxyless, Self.outbound] {
            let sent = try #require(encoder.change(encoded, in: view).changed[.endpoints]?.first)
            #expect(sent == encoder.resources(of: view)[.endpoints]?.first)
        }
    }

    private static var proxyless: LayerID { get throws { .proxyless(namespace: try MeshDocument.name("shop")) } }
    private static var outbound: LayerID { get throws { .outbound(namespace: try MeshDocument.name("shop")) } }

    private static func endpoint(
        _ number: Int64, _ locality: String, weight: Int64, _ health: String = "healthy"
    ) -> JSONValue {
        [
            "cluster": "dev", "address": .string("10.0.0.\(number)"), "locality": .string(locality),
            "weight": .integer(weight), "health": .string(health),
        ]
    }

    private static func state(_ endpoints: JSONValue) throws -> MeshState {
        try MeshDocument.read([
            "services": ["shop/reviews": ["spec": ["ports": [["name": "grpc", "port": 9080, "protocol": "GRPC"]]]]],
            "endpoints": ["shop/reviews": endpoints],
        ])
    }

    private static func localities(_ endpoints: JSONValue, in view: LayerID) throws -> [Locality] {
        let compiler = Compiler(try state(endpoints))
        var encoder = ConfigEncoder()
        _ = encoder.update(compiler.everything, of: compiler)
        let resource = try #require(encoder.resources(of: view)[.endpoints]?.first)
        return try EndpointsMessage(serializedBytes: resource.bytes).endpoints.map { locality in
            let id = locality.locality
            return Locality(
                [id.region, id.zone, id.subZone], locality.loadBalancingWeight.value,
                locality.lbEndpoints.map {
                    String($0.endpoint.address.socketAddress.address.dropFirst("10.0.0.".count))
                })
        }
    }
}
