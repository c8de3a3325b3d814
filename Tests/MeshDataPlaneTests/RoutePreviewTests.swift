import Documents
import EnvoyConfig
import Foundation
import GrayRelease
import MeshCompiler
import MeshControl
import MeshCore
import MeshFixtures
import MeshModel
import MeshStore
import ReleaseFixtures
import TestSupport
import Testing

@testable import MeshDataPlane

@Suite("What a preview tells of the routes of a proxy")
struct RoutePreviewTests {
    static let meshes = Array(0..<LongRun.count("SLUICE_LAW_MESHES", else: 60))
    private static let namespace = RandomReleaseMesh.service.namespace

    private static func proxy(_ client: ProxyClient.Program, of state: MeshState) -> ProxyRow {
        ProxyRow(
            mesh: state.mesh, name: NamespacedName(namespace: namespace, name: Fixture.name("p")), replica: "r",
            connected: true, connectedAt: Fixture.epoch, ackedRevision: 1, types: [:],
            client: ProxyClient(client, service: Fixture.name("p")))
    }

    /// A release of the random mesh, with a plan that the engine walks through by itself.
    private static func spec(of mesh: RandomReleaseMesh, _ seed: Int) -> ReleaseSpec {
        var random = SeededGenerator(seed: UInt64(seed))
        var spec = ReleaseSpec(
            service: RandomReleaseMesh.service.name, port: mesh.traffic.port, stable: RandomReleaseMesh.stable,
            canary: RandomReleaseMesh.canary,
            strategy: Fixture.randomSpec(&random, indefinitePauses: false).strategy, unsplit: .move)
        // The others wait for somebody else, and move nothing.
        spec.strategy.steps.removeAll { ![.setWeight, .setMatch, .setMirror, .pause].contains($0.kind) }
        spec.strategy.backgroundAnalysis = nil
        spec.strategy.postPromotionAnalysis = nil
        spec.strategy.endpointGuard = .init()
        spec.strategy.steps.append(Fixture.weight([500, 10_000].randomElement(using: &random) ?? 0))
        if !mesh.traffic.matches.isEmpty {
            spec.strategy.steps.insert(ReleaseStep(.setMatch(mesh.traffic.matches)), at: 0)
        }
        // So that each is seen.
        spec.strategy.steps = spec.strategy.steps.map { step in
            if case .pause = step.action { return step }
            return ReleaseStep(step.action, bakeTime: .seconds(30))
        }
        spec.strategy.rules = mesh.traffic.rules
        spec.strategy.paths = mesh.traffic.paths
        spec.strategy.stickiness = mesh.traffic.stickiness
        return spec
    }

    /// The mesh as it is when the engine has decided so about the release.
    private static func state(_ scene: Scene, _ spec: ReleaseSpec, in before: MeshState) -> MeshState {
        var state = before
        let name = NamespacedName(namespace: namespace, name: Fixture.release)
        state.services[RandomReleaseMesh.service]?.status = scene.service
        state.releases[name] = scene.status.ownedTraffic(of: spec, in: namespace)
        return state
    }

    /// All routes that a proxy is sent, from nothing.
    private static func routes(_ state: MeshState, _ layer: LayerID) -> [ConfigResource] {
        var (compiler, encoder) = (Compiler(), ConfigEncoder())
        _ = encoder.update(compiler.update(state, .all), of: compiler)
        return encoder.resources(of: layer)[.routes] ?? []
    }

    /// They as one document, by their names.
    private static func document(_ routes: [ConfigResource]) throws -> JSONValue {
        .object(
            Dictionary(
                uniqueKeysWithValues: try routes.map {
                    ($0.name, ResourceDocument.redacted(try JSONValue(json: Data($0.json(.routes).utf8))))
                }))
    }

    @Test(
        "is in each stage what the release has compiled then, byte for byte, and the patches make one of the other",
        arguments: meshes)
    func law(_ seed: Int) throws {
        let mesh = RandomReleaseMesh(seed: UInt64(seed))
        let spec = Self.spec(of: mesh, seed)
        var state = try mesh.state()
        state.releases[NamespacedName(namespace: Self.namespace, name: Fixture.name("r"))] = nil
        // Half of them have no stable version before.
        if seed % 2 == 0 { state.services[RandomReleaseMesh.service]?.status = ServiceStatus() }
        let name = NamespacedName(namespace: Self.namespace, name: Fixture.release)
        let (before, stages) = spec.stages(as: name, in: state)
        let outbound = LayerID.outbound(namespace: Self.namespace)

        var scene = Scene(spec)
        scene.service = state.services[RandomReleaseMesh.service]?.status ?? ServiceStatus()
        try scene.ask(.start)
        var walked: Set<Int> = []
        for _ in 0..<400 where !scene.status.phase.isTerminal {
            scene.drive()
            scene.now = scene.now + .seconds(5)
            guard let step = scene.status.currentStep, [.progressing, .paused].contains(scene.status.phase),
                step.state != .pending, walked.insert(step.index).inserted
            else { continue }
            let stage = try #require(stages.first { $0.moment == .step(step.index) })
            #expect(
                Self.routes(stage.state, outbound) == Self.routes(Self.state(scene, spec, in: before), outbound),
                "step \(step.index)")
        }
        #expect(
            scene.status.phase == .succeeded && walked.count == spec.strategy.steps.count,
            "\(scene.status.phase) \(walked)")
        let end = try #require(stages.last)
        #expect(Self.routes(end.state, outbound) == Self.routes(Self.state(scene, spec, in: before), outbound))

        for (program, layer) in [
            (ProxyClient.Program.envoy(httpProxyPort: 15_080), outbound),
            (.grpc, .proxyless(namespace: Self.namespace)),
        ] {
            let differences = DataPlane.routeDifferences(
                for: Self.proxy(program, of: state), from: before, through: stages, isCancelled: { false })
            try #require(differences.count == stages.count)
            var document = try Self.document(Self.routes(before, layer))
            for (stage, changed) in zip(stages, differences) {
                let patch = changed.reduce(JSONPatch()) {
                    $0
                        + JSONPatch(
                            from: $1.before, to: $1.after,
                            at: JSONPointer([$1.resource, "virtual_hosts", String($1.index)]))
                }
                document = try patch.applied(to: document)
                let expected = try Self.document(Self.routes(stage.state, layer))
                #expect(document == expected, "\(stage.moment)")
            }
        }
    }

    @Test("is nothing for a proxy of which nobody knows what it is, and ends when nobody wants it any more")
    func nothing() throws {
        let mesh = RandomReleaseMesh(seed: 1)
        let state = try mesh.state()
        let name = NamespacedName(namespace: Self.namespace, name: Fixture.release)
        let (before, stages) = Self.spec(of: mesh, 1).stages(as: name, in: state)
        var unknown = Self.proxy(.grpc, of: state)
        unknown.client = nil
        #expect(DataPlane.routeDifferences(for: unknown, from: before, through: stages, isCancelled: { false }) == [])
        let known = Self.proxy(.envoy(httpProxyPort: 15_080), of: state)
        let cancelled = DataPlane.routeDifferences(for: known, from: before, through: stages, isCancelled: { true })
        #expect(cancelled.joined().isEmpty)
    }
}
