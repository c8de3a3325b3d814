internal import Documents
internal import EnvoyConfig
internal import Foundation
internal import MeshCompiler
internal import MeshControl
internal import MeshCore
internal import MeshModel
internal import MeshStore

/// The routes that a proxy would be sent in one stage of a release after another.
struct RoutePreview {
    private var compiler = Compiler()
    private var encoder = ConfigEncoder()
    private let layers: [LayerID]

    init(for proxy: ProxyView, in state: MeshState) {
        layers = proxy.layers
        let compiled = compiler.update(state, .all)
        _ = encoder.update(compiled, of: compiler)
    }

    static func differences(
        for proxy: ProxyRow, from state: MeshState, through stages: [ReleaseStage], isCancelled: () -> Bool
    ) -> [[RouteDifference]] {
        guard let client = proxy.client else { return [] }
        var preview = RoutePreview(
            for: ProxyView(mesh: proxy.mesh, name: proxy.name, client: client), in: state)
        return stages.map { isCancelled() ? [] : preview.step(to: $0) }
    }

    /// - Returns: what is other than before.
    mutating func step(to stage: ReleaseStage) -> [RouteDifference] {
        let compiled = compiler.update(stage.state, stage.change)
        let before = virtualHosts(of: compiled.routes)
        _ = encoder.update(compiled, of: compiler)
        // A release changes routes, and neither who sees them nor how many hosts there are.
        return zip(before, virtualHosts(of: compiled.routes)).compactMap { old, new in
            guard old.alone != new.alone else { return nil }
            return RouteDifference(
                host: new.host, resource: new.resource, index: new.index, before: Self.document(old),
                after: Self.document(new))
        }
    }

    private func virtualHosts(of hosts: Set<MeshModel.Host>) -> [PlacedVirtualHost] {
        layers.flatMap { encoder.virtualHosts(of: hosts, in: $0) }
    }

    private static func document(_ host: PlacedVirtualHost) -> JSONValue {
        guard let text = try? host.alone.json(.routes), let document = try? JSONValue(json: Data(text.utf8)),
            let found = document["virtual_hosts"]?.arrayValue?.first
        else { return .null }
        return ResourceDocument.redacted(found)
    }
}
