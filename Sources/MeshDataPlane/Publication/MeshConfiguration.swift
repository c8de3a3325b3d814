internal import EnvoyConfig
internal import MeshCompiler
internal import MeshCore
internal import MeshFeed
internal import MeshModel
internal import XDSServer

/// One mesh, compiled and encoded, and the snapshots of the views that proxies want of it.
///
/// A change costs what it touches: the compiler and the encoder say what came out different, sets are derived from the
/// ones before, and views share them.
struct MeshConfiguration {
    /// How long a sidecar that hears from no server goes on with its listeners; `nil`: for ever.
    private let listenerTTL: Duration?
    private(set) var revision: Revision?
    /// Whose snapshots they are.
    private var owner: String?
    private var compiler = Compiler()
    private var encoder = ConfigEncoder()
    /// Views by what they have in common with others: layers, from the bottom up.
    private var stacks: [[View]: [ViewID: Top]] = [:]
    /// The layers of which stacks are made. What many proxies have in common is there once.
    private var layers: [View: Layer] = [:]

    /// A part of the configuration, by resource type, and the sets in which it lies above other parts.
    private struct Layer {
        /// Without types of which there is nothing.
        var own: Sets
        /// With what each was laid over; they stay as they are for as long as that does.
        var laid: [XDSServer.ResourceType: (below: XDSServer.ResourceSet, set: XDSServer.ResourceSet)] = [:]
        /// Clusters that are still here although the view has them no more, the oldest first (``ResourceChange/keepClusters(_:)``).
        var former: [String] = []

        init(_ own: Sets) { self.own = own }

        /// Puts the layer on top of others.
        mutating func lay(over sets: inout Sets) {
            for (type, own) in own {
                guard let below = sets[type] else {
                    sets[type] = own
                    continue
                }
                if laid[type]?.below !== below {
                    laid[type] = (below, XDSServer.ResourceSet(own.resources, over: below))
                }
                sets[type] = laid[type]?.set
            }
        }
    }

    /// What one view has on top of its stack. Most have nothing, and share the stack's snapshot.
    private struct Top {
        /// `nil`: there can be nothing.
        var view: View?
        var layer: Layer?
        /// Whether a proxy is there that is told of changes.
        var isWanted = true
    }

    init(listenerTTL: Duration? = nil) { self.listenerTTL = listenerTTL }

    private typealias Sets = [XDSServer.ResourceType: XDSServer.ResourceSet]

    var isEmpty: Bool { stacks.isEmpty }

    /// Takes a newer state.
    ///
    /// - Returns: the snapshots of all views that are wanted. Where nothing changed they share all their sets with the ones
    ///   before, and only say that those are right at the newer revision too.
    mutating func update(_ update: MeshUpdate) -> [ViewID: Snapshot] {
        let compiled = compiler.update(update.state, revision == nil ? .all : update.change)
        let change = encoder.update(compiled, of: compiler)
        revision = update.state.revision
        if owner != update.state.life?.description { owner = update.state.life?.description }
        if !change.isEmpty { derive(change) }
        var snapshots: [ViewID: Snapshot] = [:]
        for stack in Array(stacks.keys) { addSnapshots(of: stack, to: &snapshots) }
        return snapshots
    }

    private mutating func derive(_ change: EncodedChange) {
        for (view, layer) in layers { layers[view] = derive(layer, view, change) }
        guard change.reachesWorkloads else { return }
        for stack in Array(stacks.keys) {
            var tops = stacks.removeValue(forKey: stack) ?? [:]
            tops.updateEach { _, top in
                guard let view = top.view, let layer = top.layer else { return }
                top.layer = derive(layer, view, change)
            }
            stacks[stack] = tops
        }
    }

    private func derive(_ layer: Layer, _ view: View, _ change: EncodedChange) -> Layer {
        var change = encoder.change(change, in: view)
        guard !change.isEmpty else { return layer }
        var former: [String] = []
        if case .workload = view { former = change.keepClusters(layer.former) }
        var derived = Layer(derive(layer.own, change))
        derived.former = former
        return derived
    }

    private mutating func addSnapshots(of stack: [View], to snapshots: inout [ViewID: Snapshot]) {
        guard let revision, var tops = stacks.removeValue(forKey: stack) else { return }
        let sets = sets(of: stack)
        let common = Snapshot(revision: revision, owner: owner, sets)
        tops.updateEach { view, top in
            if top.isWanted { snapshots[view] = snapshot(of: &top, over: sets, common) }
        }
        stacks[stack] = tops
    }

    /// Whether what the view has in common with others is there.
    func hasLayers(of view: ProxyView) -> Bool { revision != nil && stacks[view.commonLayers] != nil }

    /// Adds a view, or wakes it.
    ///
    /// - Returns: its snapshot, if the mesh has been compiled.
    mutating func insert(_ view: ProxyView) -> Snapshot? {
        stacks[view.commonLayers, default: [:]][view.id, default: Top(view: view.ownLayer)].isWanted = true
        return snapshot(of: view)
    }

    /// Makes no snapshots of a view any more until it is inserted again, but keeps what they are made of.
    mutating func rest(_ view: ProxyView) { stacks[view.commonLayers]?[view.id]?.isWanted = false }

    mutating func remove(_ view: ProxyView) {
        stacks[view.commonLayers]?[view.id] = nil
        guard stacks[view.commonLayers]?.isEmpty == true else { return }
        stacks[view.commonLayers] = nil
        let left = Set(stacks.keys.joined())
        layers = layers.filter { left.contains($0.key) }
    }

    private mutating func snapshot(of view: ProxyView) -> Snapshot? {
        guard let revision, var top = stacks[view.commonLayers]?[view.id] else { return nil }
        let sets = sets(of: view.commonLayers)
        let snapshot = snapshot(of: &top, over: sets, Snapshot(revision: revision, owner: owner, sets))
        stacks[view.commonLayers]?[view.id] = top
        return snapshot
    }

    /// - Parameter common: of all views that have nothing on top.
    private func snapshot(of top: inout Top, over sets: Sets, _ common: Snapshot) -> Snapshot {
        guard let view = top.view else { return common }
        var layer = top.layer ?? Layer(self.sets(of: view))
        defer { top.layer = layer }
        guard !layer.own.isEmpty else { return common }
        var sets = sets
        layer.lay(over: &sets)
        return Snapshot(revision: common.revision, owner: common.owner, sets)
    }

    private mutating func sets(of stack: [View]) -> Sets {
        var sets: Sets = [:]
        for view in stack {
            var layer = layers[view] ?? Layer(self.sets(of: view))
            layer.lay(over: &sets)
            layers[view] = layer
        }
        return sets
    }

    private func sets(of view: View) -> Sets {
        var sets: Sets = [:]
        for (type, encoded) in encoder.resources(of: view) where !encoded.isEmpty {
            sets[type.served] = XDSServer.ResourceSet(served(type, encoded, after: .empty))
        }
        return sets
    }

    private func derive(_ sets: Sets, _ change: ResourceChange) -> Sets {
        var sets = sets
        for type in EnvoyConfig.ResourceType.allCases {
            let changed = change.changed[type] ?? []
            let removed = change.removed[type] ?? []
            if changed.isEmpty && removed.isEmpty { continue }
            let set = sets[type.served] ?? .empty
            sets[type.served] = set.updating(set: served(type, changed, after: set), removing: removed)
        }
        return sets
    }

    /// - Parameter set: has earlier forms of some of the resources.
    private func served(
        _ type: EnvoyConfig.ResourceType, _ resources: [EnvoyConfig.EncodedResource],
        after set: XDSServer.ResourceSet
    ) -> [XDSServer.EncodedResource] {
        let ttl = type == .listener ? listenerTTL : nil
        return resources.mapInParallel {
            XDSServer.EncodedResource(type.served, name: $0.name, body: $0.bytes, ttl: ttl, after: set[$0.name])
        }
    }

    /// The parts of objects that a client of this view refuses, by the name of the resource; nothing of resources that it
    /// did not name.
    mutating func sources(of refusal: TypeReport, in view: ProxyView) -> [String: [Source]] {
        guard let complaint = refusal.error, let type = refusal.type.encoded else { return [:] }
        let current = snapshot(of: view)
        let isCurrent = current?[refusal.type].version == refusal.refusedVersion && current != nil
        let pairs = refusal.refused.map { name in
            let sources = encoder.sources(
                of: type, named: name, by: NamespacedName(namespace: view.namespace, name: view.proxy),
                refusedWith: complaint, isCurrent: isCurrent, in: compiler, mesh: view.mesh)
            return (name, sources)
        }
        return Dictionary(pairs, uniquingKeysWith: { first, _ in first })
    }
}

extension ResourceChange {
    /// Of clusters that a view has no more.
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

extension Dictionary {
    /// Changes every value in place. Whoever goes through `indices` instead holds the dictionary twice, and the first change
    /// copies it.
    fileprivate mutating func updateEach(_ update: (Key, inout Value) -> Void) {
        var index = startIndex
        while index != endIndex {
            update(keys[index], &values[index])
            formIndex(after: &index)
        }
    }
}

extension EnvoyConfig.ResourceType {
    var served: XDSServer.ResourceType {
        switch self {
        case .cluster: .cluster
        case .endpoints: .endpoint
        case .listener: .listener
        case .routes: .route
        }
    }
}

extension XDSServer.ResourceType {
    /// `nil`: nothing of this type is compiled.
    var encoded: EnvoyConfig.ResourceType? {
        switch self {
        case .cluster: .cluster
        case .endpoint: .endpoints
        case .listener: .listener
        case .route: .routes
        case .scopedRoute, .virtualHost, .extensionConfig, .secret, .runtime: nil
        }
    }
}
