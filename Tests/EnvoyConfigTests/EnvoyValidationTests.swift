import EnvoyProtos
import Foundation
import MeshCompiler
import MeshCore
import MeshFixtures
import SwiftProtobuf
import TestSupport
import Testing

@testable import EnvoyConfig

@Suite("Envoy itself accepts what the goldens show")
struct EnvoyValidationTests {
    /// The goldens of sidecars stand in one static configuration: what a server would send, without one.
    @Test(.timeLimit(.minutes(2)))
    func goldens() throws {
        var resources = Envoy_Config_Bootstrap_V3_Bootstrap.StaticResources()
        for golden in Golden.meshes {
            let compiler = Compiler(try MeshDocument.read(golden.input("mesh.json")))
            var encoder = ConfigEncoder()
            _ = encoder.update(compiler.everything, of: compiler)
            for view in try golden.views() {
                let title = "\(golden.name)/\(view.name)"
                switch view.layer {
                case .outbound: try Self.addOutbound(view.layer, of: encoder, to: &resources, title: title)
                case .workload: try Self.addWorkload(view.layer, of: encoder, to: &resources, title: title)
                // A sidecar's listener is that of its outbound view; gRPC clients are no Envoys.
                case .sidecar, .proxyless: continue
                }
            }
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

    /// - Parameter title: of the golden. It is put before names, which are unique in a configuration.
    private static func addOutbound(
        _ layer: LayerID, of encoder: ConfigEncoder,
        to resources: inout Envoy_Config_Bootstrap_V3_Bootstrap.StaticResources, title: String
    ) throws {
        let outbound = encoder.resources(of: layer)
        for resource in outbound[.cluster] ?? [] {
            var cluster = try Envoy_Config_Cluster_V3_Cluster(serializedBytes: resource.bytes)
            if cluster.type == .eds {
                // Static configuration has no EDS; the endpoints stand in the cluster.
                let endpoints = try #require(outbound[.endpoints]?.first { $0.name == resource.name })
                cluster.type = .static
                cluster.clearEdsClusterConfig()
                cluster.loadAssignment = try Envoy_Config_Endpoint_V3_ClusterLoadAssignment(
                    serializedBytes: endpoints.bytes)
            }
            cluster.name = "\(title) \(cluster.name)"
            resources.clusters.append(cluster)
        }
        let port = 20_000 + resources.listeners.count
        let resource = try #require(encoder.resources(of: .sidecar(httpProxyPort: port))[.listener]?.first)
        var listener = try Envoy_Config_Listener_V3_Listener(serializedBytes: resource.bytes)
        typealias Manager = Envoy_Extensions_Filters_Network_HttpConnectionManager_V3_HttpConnectionManager
        var manager = try Manager(unpackingAny: listener.filterChains[0].filters[0].typedConfig)
        let routes = try #require(outbound[.routes]?.first)
        manager.routeConfig = try Envoy_Config_Route_V3_RouteConfiguration(serializedBytes: routes.bytes)
        listener.name = title
        listener.filterChains[0].filters[0].typedConfig = try Google_Protobuf_Any(message: manager)
        resources.listeners.append(listener)
    }

    private static func addWorkload(
        _ layer: LayerID, of encoder: ConfigEncoder,
        to resources: inout Envoy_Config_Bootstrap_V3_Bootstrap.StaticResources, title: String
    ) throws {
        let view = encoder.resources(of: layer)
        for resource in view[.listener] ?? [] {
            var listener = try Envoy_Config_Listener_V3_Listener(serializedBytes: resource.bytes)
            listener.name = "\(title) \(listener.name)"
            resources.listeners.append(listener)
        }
        for resource in view[.cluster] ?? [] {
            var cluster = try Envoy_Config_Cluster_V3_Cluster(serializedBytes: resource.bytes)
            cluster.name = "\(title) \(cluster.name)"
            resources.clusters.append(cluster)
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
