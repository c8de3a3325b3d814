internal import Parallel
internal import EnvoyConfig
internal import HashTreeCollections
internal import MeshCompiler
internal import MeshModel
internal import XDSServer

/// Makes layers of what is compiled of a mesh. A change costs what it touches: the encoder says what came out different, and
/// layers are derived from the ones before.
struct LayerEncoder: Sendable {
    private var encoder = ConfigEncoder()
    /// How long a sidecar that hears from no server goes on with its listeners; `nil`: for ever.
    private let listenerTTL: Duration?
    /// Clusters that are still in a workload's layer although it has them no more, the oldest first
    /// (`ResourceChange.keepClusters`).
    private var former: [LayerID: [String]] = [:]

    init(listenerTTL: Duration?) { self.listenerTTL = listenerTTL }

    /// Takes over what the compiler's last update changed.
    mutating func update(_ change: CompiledChange, of compiler: Compiler) -> EncodedChange {
        encoder.update(change, of: compiler)
    }

    /// Makes the layers that are not there.
    func add(_ ids: some Sequence<LayerID>, to layers: inout Publication.Layers) {
        for id in ids where layers[id] == nil { layers[id] = layer(id) }
    }

    /// Brings layers up to date with a change.
    mutating func derive(_ layers: inout Publication.Layers, after change: EncodedChange) {
        if change.isEmpty { return }
        for (id, layer) in layers.common { layers.common[id] = derive(layer, of: id, after: change) }
        guard change.reachesWorkloads else { return }
        for (id, layer) in layers.own {
            let derived = derive(layer, of: id, after: change)
            if derived !== layer { layers.own[id] = derived }
        }
    }

    /// The layer of a view, from nothing.
    private func layer(_ view: LayerID) -> Layer {
        var sets: [ResourceType: ResourceSet] = [:]
        for (type, encoded) in encoder.resources(of: view) where !encoded.isEmpty {
            sets[type.xdsType] = ResourceSet(encodedResources(type, encoded, after: .empty))
        }
        return sets.isEmpty ? .empty : Layer(sets)
    }

    /// - Returns: `layer` itself, if the change is not about it.
    private mutating func derive(_ layer: Layer, of view: LayerID, after change: EncodedChange) -> Layer {
        var visible = encoder.change(change, in: view)
        guard !visible.isEmpty else { return layer }
        if !view.isCommon {
            let kept = visible.keepClusters(former[view] ?? [])
            former[view] = kept.isEmpty ? nil : kept
        }
        return derive(layer, visible)
    }

    /// Forgets what it knows of a layer that no proxy has any more.
    mutating func forget(_ layer: LayerID) { former[layer] = nil }

    private func derive(_ layer: Layer, _ change: ResourceChange) -> Layer {
        var sets = layer.sets
        for type in ConfigType.allCases {
            let changed = change.changed[type] ?? []
            let removed = change.removed[type] ?? []
            if changed.isEmpty && removed.isEmpty { continue }
            let set = layer[type.xdsType]
            sets[type.xdsType] = set.updating(set: encodedResources(type, changed, after: set), removing: removed)
        }
        return Layer(sets)
    }

    /// - Parameter set: has earlier forms of some of the resources.
    private func encodedResources(
        _ type: ConfigType, _ resources: [ConfigResource],
        after set: ResourceSet
    ) -> [EncodedResource] {
        let ttl = type == .listener ? listenerTTL : nil
        return resources.mapInParallel {
            EncodedResource(type.xdsType, name: $0.name, body: $0.bytes, ttl: ttl, after: set[$0.name])
        }
    }

    /// The parts of objects that a client refuses, by the name of the resource; nothing of resources that it did not name.
    ///
    /// - Parameter isCurrent: whether it refuses what is encoded here.
    func provenance(
        of refusal: TypeReport, by view: ProxyView, isCurrent: Bool, in compiler: Compiler
    ) -> [String: [Provenance]] {
        guard let nackMessage = refusal.error, let type = refusal.type.configType else { return [:] }
        let pairs = refusal.refused.map { name in
            let sources = encoder.provenance(
                of: type, named: name, by: view.name, refusedWith: nackMessage, isCurrent: isCurrent, in: compiler,
                mesh: view.mesh)
            return (name, sources)
        }
        return Dictionary(pairs, uniquingKeysWith: { first, _ in first })
    }
}

extension ResourceChange {
    /// How many clusters are kept that a view has no more.
    private static let maxFormer = 64

    /// Has clusters stay that would be removed, for as long as their proxy is here. A listener of a sidecar that changes or goes
    /// takes nothing new, but the requests on its connections go to its cluster until Envoy has drained it, ten minutes later,
    /// and nobody tells when that is; without the cluster they would get 503.
    ///
    /// - Parameter former: those that stayed before; of too many the oldest go.
    /// - Returns: those that stay now.
    fileprivate mutating func keepClusters(_ former: [String]) -> [String] {
        let back = Set((changed[.cluster] ?? []).map(\.name))
        let all = former.filter { !back.contains($0) } + (removed[.cluster] ?? [])
        removed[.cluster] = all.count > Self.maxFormer ? Array(all.dropLast(Self.maxFormer)) : nil
        return all.suffix(Self.maxFormer)
    }
}
