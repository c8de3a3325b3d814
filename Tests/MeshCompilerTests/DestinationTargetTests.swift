import Documents
import MeshCore
import MeshFixtures
import MeshModel
import Testing

@testable import MeshCompiler

@Suite("A destination means a host, a version and a port, or nothing")
struct DestinationTargetTests {
    private static let mesh: JSONValue = [
        "services": [
            "shop/reviews": [
                "spec": [
                    "ports": [["name": "http", "port": 80], ["name": "raw", "port": 81, "protocol": "TCP"]],
                    "versions": [["name": "v1", "labels": ["track": "slow"]], ["name": "v2"]],
                ]
            ],
            "shop/wide": ["spec": ["ports": [["name": "a", "port": 80], ["name": "b", "port": 90]]]],
            "shop/raw": ["spec": ["ports": [["name": "a", "port": 80, "protocol": "TCP"]]]],
        ],
        "destinationRules": [
            "shop/reviews": ["spec": ["host": "reviews", "subsets": [["name": "calm", "labels": ["track": "slow"]]]]]
        ],
    ]

    /// `host version`, or the field that is wrong.
    private static func target(_ destination: Destination, own: String? = nil) throws -> String {
        var names = StateNames(try MeshDocument.read(mesh))
        let own = try own.map { Host.service(try MeshDocument.namespaced($0)) }
        let shop = try MeshDocument.name("shop")
        do throws(UnknownDestination) {
            let target = try names.target(of: destination, own: own, from: shop)
            return "\(target.host) \(target.version?.text ?? "-")"
        } catch {
            return "no \(error.field.joined(separator: "/")) \(error.choices.joined(separator: ","))"
        }
    }

    @Test("a version or a subset of the host, or in the early spelling a version of the rules' own")
    func targets() throws {
        let (v1, v9, calm) = (try MeshDocument.name("v1"), try MeshDocument.name("v9"), try MeshDocument.name("calm"))
        #expect(try Self.target(Destination(host: "reviews")) == "shop/reviews -")
        #expect(try Self.target(Destination(host: "reviews", subset: v1)) == "shop/reviews v1")
        #expect(try Self.target(Destination(host: "reviews", subset: calm)) == "shop/reviews v1")
        #expect(try Self.target(Destination(host: "reviews", subset: v9)) == "no subset calm,v1,v2")
        #expect(try Self.target(Destination(host: "v1"), own: "shop/reviews") == "shop/reviews v1")
        #expect(try Self.target(Destination(host: "v9"), own: "shop/reviews") == "no host raw,reviews,wide")
        #expect(try Self.target(Destination(host: "v1"), own: "shop/wide") == "no host raw,reviews,wide")
        #expect(try Self.target(Destination(host: "v1")) == "no host raw,reviews,wide")
        #expect(try Self.target(Destination(host: "v1", subset: v1), own: "shop/reviews") == "no host raw,reviews,wide")
        #expect(try Self.target(Destination(host: "v1.shop"), own: "shop/reviews") == "no host raw,reviews,wide")
        #expect(try Self.target(Destination(host: "A")) == "no host ")
    }

    @Test("the port that it names, or that was called, or the only one")
    func ports() throws {
        var names = StateNames(try MeshDocument.read(Self.mesh))
        func port(_ service: String, _ named: Int?, called: Int?) throws -> String {
            let host = Host.service(try MeshDocument.namespaced(service))
            let found = names.service(host)
            let target = DestinationTarget(host: host, service: try #require(found), version: nil)
            do throws(UnknownDestination) {
                return "\(try target.port(of: Destination(host: "x", port: named), called: called))"
            } catch {
                return error.detail
            }
        }
        let rows: [(service: String, named: Int?, called: Int?, port: String)] = [
            ("shop/wide", 90, 80, "90"), ("shop/wide", 91, 80, "service shop/wide has no port 91"),
            ("shop/reviews", 81, nil, "port 81 of service shop/reviews is not an HTTP port"),
            ("shop/wide", nil, 90, "90"),
            ("shop/wide", nil, nil, "80"),
            ("shop/wide", nil, 70, "service shop/wide has several ports; the destination must say which one"),
            ("shop/reviews", nil, 70, "80"), ("shop/reviews", nil, 81, "80"),
            ("shop/raw", nil, 80, "service shop/raw has no HTTP port"),
            ("shop/raw", nil, nil, "service shop/raw has no HTTP port"),
        ]
        for row in rows { #expect(try port(row.service, row.named, called: row.called) == row.port, "\(row)") }
    }
}
