import EnvoyProtos
import NIOCore
import SwiftProtobuf
import Testing

@testable import XDSServer

/// Virtual hosts on demand (Envoy's "Virtual Host Discovery Service").
@Suite("Virtual hosts on demand")
struct VirtualHostTests {
    private let hosts = snapshot(
        1, [.route: ["r": "1", "s": "1"], .virtualHost: ["r/a": "1", "r/b": "1", "s/a": "1"]])

    @Test(
        "A first request without names, as Envoy begins, is answered with nothing; hosts are sent as they are asked for"
    )
    func onDemand() throws {
        var session = Session(.delta, hosts)
        try session.want(.virtualHost, [])
        #expect(try session.settle().map(\.names) == [[]])
        try session.want(.virtualHost, ["r/a"])
        #expect(try session.settle().map(\.names) == [["r/a"]])
        session.machine.update(snapshot(2, [.route: ["r": "1", "s": "1"], .virtualHost: ["r/a": "2", "r/b": "2"]]))
        #expect(try session.settle().map(\.names) == [["r/a"]])
        session.machine.update(snapshot(3, [.route: ["r": "1", "s": "1"], .virtualHost: ["r/b": "2"]]))
        #expect(try session.settle().map(\.removed) == [["r/a"]])
    }

    @Test("A host that there is not is answered by name without a body, and sent when there is one")
    func absentHost() throws {
        var session = Session(.delta, hosts)
        try session.want(.virtualHost, ["r/none", "r/a"])
        let responses = try session.settle()
        #expect(responses.map(\.names) == [["r/a", "r/none"]] && responses.map(\.removed) == [[]])
        session.machine.update(snapshot(2, [.virtualHost: ["r/a": "1"]]))
        #expect(try session.settle().isEmpty)
        session.machine.update(snapshot(3, [.virtualHost: ["r/a": "1", "r/none": "1"]]))
        #expect(try session.settle().map(\.names) == [["r/none"]])
    }

    @Test("A client that comes back with a host that there was not is not told that it has gone")
    func absentHostOnReconnection() throws {
        var session = Session(.delta, hosts)
        let has = ["r/none": EncodedResource.absentVersion, "r/gone": "1"]
        try session.send(
            .virtualHost, .change(subscribe: ["r/none", "r/gone"], unsubscribe: [], initialVersions: VersionList(has)))
        let responses = try session.settle()
        #expect(responses.map(\.names) == [["r/none"]] && responses.map(\.removed) == [["r/gone"]])
    }

    @Test("With a route configuration its virtual hosts are sent again, those of others not")
    func routeUpdate() throws {
        var session = try Session.synced(.delta, hosts, routes: ["r", "s"])
        try session.want(.virtualHost, ["r/a", "s/a", "no slash"])
        try session.settle()
        session.machine.update(
            snapshot(2, [.route: ["r": "2", "s": "1"], .virtualHost: ["r/a": "1", "r/b": "1", "s/a": "1"]]))
        let responses = try session.settle()
        #expect(responses.map(\.type) == [.route, .virtualHost])
        #expect(responses.last?.names == ["r/a"])
    }

    @Test("On the wire the name is an alias too, with and without a body")
    func aliases() throws {
        for (resource, hasBody) in [
            (resource(.virtualHost, "r/a", "1"), true), (EncodedResource(absentVirtualHost: "r/a"), false),
        ] {
            let bytes = Array(resource.field(ResponseForm(.delta)).plain.readableBytesView)
            let sent = try #require(
                Envoy_Service_Discovery_V3_DeltaDiscoveryResponse(serializedBytes: bytes).resources.first)
            #expect(sent.name == "r/a" && sent.aliases == ["r/a"] && sent.version == resource.version)
            #expect(sent.hasResource == hasBody)
        }
    }
}
