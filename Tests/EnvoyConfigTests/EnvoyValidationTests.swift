import EnvoyProtos
import Foundation
import MeshCompiler
import MeshCore
import MeshFixtures
import SwiftProtobuf
import TestSupport
import Testing

@testable import EnvoyConfig

@Suite("Envoy itself accepts what is encoded")
struct EnvoyValidationTests {
    /// Every case's listeners, routes and clusters in one static configuration: what a server would send, without one.
    @Test(.timeLimit(.minutes(2)))
    func allCasesTogether() throws {
        var resources = Envoy_Config_Bootstrap_V3_Bootstrap.StaticResources()
        var port = 20_000
        for golden in Golden.meshes {
            let compiler = Compiler(try MeshDocument.read(golden.input("mesh.json")))
            var encoder = ConfigEncoder()
            _ = encoder.update(compiler.everything, of: compiler)
            try Self.addOutbound(of: encoder, to: &resources, case: golden.name, port: port)
            port += 1
            let proxies = [
                "inbound": ["reviews-v1-1", "reviews-v2-1"], "one-sidecar-several-services": ["pod-1"],
            ]
            for proxy in proxies[golden.name] ?? [] { try Self.addWorkload(proxy, of: encoder, to: &resources) }
        }
        var bootstrap = try Self.bootstrap().message
        bootstrap.clearDynamicResources()
        bootstrap.staticResources = resources
        let answer = try Self.validate(MessageJSON.text(bootstrap))
        #expect(answer.status == 0, "\(answer.output.suffix(3000))")
    }

    @Test(.timeLimit(.minutes(2)), arguments: Bootstrap.Variant.allCases)
    func bootstraps(_ variant: Bootstrap.Variant) throws {
        var bootstrap = try Self.bootstrap()
        bootstrap.variant = variant
        let answer = try Self.validate(bootstrap.json)
        #expect(answer.status == 0, "\(answer.output.suffix(3000))")
    }

    private static func bootstrap() throws -> Bootstrap {
        let workload = LayerID.Workload(
            namespace: try MeshDocument.name("shop"), service: try MeshDocument.name("reviews"),
            proxy: try MeshDocument.name("reviews-v1-1"), httpProxyPort: 15_080)
        return Bootstrap(
            workload: workload, mesh: MeshKey(tenant: try MeshDocument.name("acme"), mesh: .defaultMesh),
            cluster: try MeshDocument.name("dev"), adminPort: 19_999, server: .init(host: "127.0.0.1", port: 15_010),
            token: "secret")
    }

    private static func addOutbound(
        of encoder: ConfigEncoder, to resources: inout Envoy_Config_Bootstrap_V3_Bootstrap.StaticResources,
        case name: String, port: Int
    ) throws {
        let shop = try MeshDocument.name("shop")
        let outbound = encoder.resources(of: .outbound(namespace: shop))
        for resource in outbound[.cluster] ?? [] where !resources.clusters.contains(where: { $0.name == resource.name })
        {
            var cluster = try Envoy_Config_Cluster_V3_Cluster(serializedBytes: resource.bytes)
            // Static configuration has no EDS; the endpoints stand in the cluster.
            let endpoints = try #require(outbound[.endpoints]?.first { $0.name == resource.name })
            cluster.type = .static
            cluster.clearEdsClusterConfig()
            cluster.loadAssignment = try Envoy_Config_Endpoint_V3_ClusterLoadAssignment(
                serializedBytes: endpoints.bytes)
            resources.clusters.append(cluster)
        }
        let resource = try #require(encoder.resources(of: .sidecar(httpProxyPort: port))[.listener]?.first)
        var listener = try Envoy_Config_Listener_V3_Listener(serializedBytes: resource.bytes)
        typealias Manager = Envoy_Extensions_Filters_Network_HttpConnectionManager_V3_HttpConnectionManager
        var manager = try Manager(unpackingAny: listener.filterChains[0].filters[0].typedConfig)
        let routes = try #require(outbound[.routes]?.first)
        manager.routeConfig = try Envoy_Config_Route_V3_RouteConfiguration(serializedBytes: routes.bytes)
        listener.name = name
        listener.filterChains[0].filters[0].typedConfig = try Google_Protobuf_Any(message: manager)
        resources.listeners.append(listener)
    }

    private static func addWorkload(
        _ proxy: String, of encoder: ConfigEncoder,
        to resources: inout Envoy_Config_Bootstrap_V3_Bootstrap.StaticResources
    ) throws {
        let workload = LayerID.Workload(
            namespace: try MeshDocument.name("shop"), service: try MeshDocument.name("reviews"),
            proxy: try MeshDocument.name(proxy), httpProxyPort: 15_080)
        let view = encoder.resources(of: .workload(workload))
        for resource in view[.listener] ?? [] {
            resources.listeners.append(try Envoy_Config_Listener_V3_Listener(serializedBytes: resource.bytes))
        }
        for resource in view[.cluster] ?? [] where !resources.clusters.contains(where: { $0.name == resource.name }) {
            resources.clusters.append(try Envoy_Config_Cluster_V3_Cluster(serializedBytes: resource.bytes))
        }
    }

    /// Runs `envoy --mode validate`.
    private static func validate(_ json: String) throws -> (status: Int32, output: String) {
        let envoy = try TestTools.envoy()
        let folder = FileManager.default.temporaryDirectory.appending(path: "envoy-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let file = folder.appending(path: "bootstrap.json")
        try Data(json.utf8).write(to: file)
        let log = folder.appending(path: "log")
        _ = FileManager.default.createFile(atPath: log.path, contents: nil)
        let process = Process()
        process.executableURL = URL(filePath: envoy)
        process.arguments = [
            "--mode", "validate", "-c", file.path, "--log-level", "warning",
            "--base-id", String(Int.random(in: 1_000_000...2_000_000)),
        ]
        // To a file: a full pipe would stop Envoy.
        let output = try FileHandle(forWritingTo: log)
        process.standardOutput = output
        process.standardError = output
        try process.run()
        process.waitUntilExit()
        try output.close()
        return (process.terminationStatus, try String(contentsOf: log, encoding: .utf8))
    }
}
