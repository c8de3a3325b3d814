import Documents
import EnvoyProtos
import MeshCompiler
import MeshFixtures
import MeshModel
import SwiftProtobuf
import Testing

@testable import EnvoyConfig

@Suite("Routes as Envoy and gRPC understand them")
struct RouteMessageTests {
    private typealias Message = Envoy_Config_Route_V3_RouteConfiguration

    /// The routes of a service with one rule, for sidecars and for gRPC clients.
    private static func routes(
        _ rule: [String: JSONValue], releases: JSONValue = [:]
    ) throws -> (envoy: Message, proxyless: Message) {
        let http: JSONValue = [.object(["route": [["destination": ["host": "a"]]]].merging(rule) { $1 })]
        let compiler = Compiler(
            try MeshDocument.read([
                "services": [
                    "x/a": [
                        "spec": [
                            "ports": [["name": "http", "port": 80, "protocol": "HTTP"]],
                            "versions": [["name": "v1"], ["name": "v2"]],
                        ]
                    ]
                ],
                "virtualServices": ["x/a": ["spec": ["hosts": ["a"], "http": http]]], "releases": releases,
            ]))
        var encoder = ConfigEncoder()
        _ = encoder.update(compiler.everything, of: compiler)
        let namespace = try MeshDocument.name("x")
        let messages = try [LayerID.outbound(namespace: namespace), .proxyless(namespace: namespace)].map { view in
            let resource = try #require(encoder.resources(of: view)[.routes]?.first)
            return try Message(serializedBytes: resource.bytes)
        }
        return (messages[0], messages[1])
    }

    /// An Envoy that finds `max_stream_duration` does not look at `timeout`, where gRPC's own client finds nothing else.
    @Test func aTimeoutIsWrittenWhereItsReaderLooks() throws {
        let routes = try Self.routes(["timeout": "2.5s"])
        let limit = Google_Protobuf_Duration(seconds: 2, nanos: 500_000_000)
        let envoy = routes.envoy.virtualHosts[0].routes[0].route
        #expect(envoy.timeout == limit && !envoy.hasMaxStreamDuration)
        let proxyless = routes.proxyless.virtualHosts[0].routes[0].route
        #expect(proxyless.maxStreamDuration.grpcTimeoutHeaderMax == limit)
    }

    @Test func usersAreHashedByTheirFirstKeyAndNameNoCommands() throws {
        let stickiness: JSONValue = [
            "source": ["header": "x-user"], "fallback": ["cookie": ["name": "%PROTOCOL%", "ttl": "60s"]],
        ]
        let release: JSONValue = [
            "service": "a", "stable": "v1", "canary": "v2", "share": 500, "stickiness": stickiness,
        ]
        let routes = try Self.routes([:], releases: ["x/r": release]).envoy.virtualHosts[0].routes
        #expect(routes.map(\.route.weightedClusters.useHashPolicy.value) == [true, true])
        #expect(routes.map { $0.route.hashPolicy.map(\.terminal) } == [[false], [true, false]])
        #expect(routes[1].route.hashPolicy.map(\.header.headerName) == ["x-user", ""])
        #expect(
            routes[1].route.hashPolicy[1].cookie.name == "%PROTOCOL%" && !routes[1].route.hashPolicy[1].cookie.hasTtl)
        #expect(routes[1].responseHeadersToAdd.isEmpty)
        // What stands between single percent signs is a command to Envoy.
        let cookie = "%%PROTOCOL%%=%REQ(x-request-id)%; Path=/; Max-Age=60; HttpOnly"
        #expect(routes[0].responseHeadersToAdd.map(\.header.value) == [cookie])
    }

    @Test func withoutOneThereIsNoLimit() throws {
        for rule in [[:], ["timeout": "0s"]] as [[String: JSONValue]] {
            let routes = try Self.routes(rule)
            for message in [routes.envoy, routes.proxyless] {
                let route = message.virtualHosts[0].routes[0].route
                #expect(route.timeout == Google_Protobuf_Duration() && route.hasTimeout && !route.hasMaxStreamDuration)
            }
        }
    }

    @Test(
        "A header that must be absent may be absent",
        arguments: [
            ([:], true, false), (["prefix": ""], true, false), (["regex": ".*"], true, false),
            (["exact": "a"], false, true), (["prefix": "a"], false, true), (["regex": "a+"], false, true),
        ] as [(JSONValue, Bool, Bool)])
    func absence(_ match: JSONValue, _ asksForPresence: Bool, _ missingIsEmpty: Bool) throws {
        let routes = try Self.routes(["match": [["withoutHeaders": ["x-a": match]]]])
        let matcher = try #require(routes.envoy.virtualHosts[0].routes[0].match.headers.first)
        #expect(matcher.invertMatch && matcher.presentMatch == asksForPresence)
        #expect(matcher.treatMissingHeaderAsEmpty == missingIsEmpty)
    }

    @Test func atLeastOneEndpointCanBeLeftOut() throws {
        for (percent, expected) in [(nil, true), (50, true), (0, false)] as [(Int64?, Bool)] {
            let detection = JSONValue.fields([
                "consecutive5xxErrors": 3, "maxEjectionPercent": percent.map(JSONValue.integer),
            ])
            let rule: DestinationRuleSpec = try MeshDocument.spec([
                "host": "a", "trafficPolicy": ["outlierDetection": detection],
            ])
            let service: ServiceSpec = try MeshDocument.spec(["ports": [["name": "http", "port": 80]]])
            var cluster = Envoy_Config_Cluster_V3_Cluster()
            cluster.apply(rule.policy(port: 80, version: nil, of: service), isHTTP2: false)
            #expect(cluster.outlierDetection.alwaysEjectOneHost.value == expected)
        }
    }
}
