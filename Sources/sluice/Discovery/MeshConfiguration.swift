internal import EnvoyConfig
internal import MeshCompiler
internal import MeshControl
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
    private var compiler = Compiler()
    private var encoder = ConfigEncoder()
    private var views: [ViewID: ProxyView] = [:]
    /// The layers of the views. What many proxies have in common is there once.
    private var layers: [View: Layer] = [:]
    /// How many views have a layer.
    private var users: [View: Int] = [:]

    /// A part of the configuration, by resource type, and the sets in which it lies above other parts.
    private struct Layer {
        /// Without types of which there is nothing.
        var own: Sets
        /// With what each was laid over; they stay as they are for as long as that does.
        var laid: [XDSServer.ResourceType: (below: XDSServer.ResourceSet, set: XDSServer.ResourceSet)] = [:]
    }

    init(listenerTTL: Duration? = nil) { self.listenerTTL = listenerTTL }

    private typealias Sets = [XDSServer.ResourceType: XDSServer.ResourceSet]

    var isEmpty: Bool { views.isEmpty }

    /// Takes a newer state.
    ///
    /// - Returns: the snapshots of all views. Where nothing changed they share all their sets with the ones before, and
    ///   only say that those are right at the newer revision too.
    mutating func update(_ update: MeshUpdate) -> [ViewID: Snapshot] {
        let compiled = compiler.update(update.state, revision == nil ? .all : update.change)
        let change = encoder.update(compiled, of: compiler)
        revision = update.state.revision
        if !change.isEmpty {
            for view in layers.keys {
                let change = encoder.change(change, in: view)
                if !change.isEmpty { layers[view] = layers[view].map { Layer(own: derive($0.own, change)) } }
            }
        }
        return views.compactMapValues { snapshot(of: $0) }
    }

    /// Adds a view.
    ///
    /// - Returns: its snapshot, if the mesh has been compiled.
    mutating func insert(_ view: ProxyView) -> Snapshot? {
        if views.updateValue(view, forKey: view.id) == nil {
            for layer in view.layers { users[layer, default: 0] += 1 }
        }
        guard revision != nil else { return nil }
        return snapshot(of: view)
    }

    mutating func remove(_ id: ViewID) {
        guard let view = views.removeValue(forKey: id) else { return }
        for layer in view.layers {
            let left = (users[layer] ?? 0) - 1
            users[layer] = left > 0 ? left : nil
            if left <= 0 { layers[layer] = nil }
        }
    }

    private mutating func snapshot(of view: ProxyView) -> Snapshot? {
        guard let revision else { return nil }
        let sets = view.layers.reduce(into: Sets()) { sets, view in lay(view, over: &sets) }
        return Snapshot(revision: revision, sets)
    }

    /// Puts a layer on top of others.
    private mutating func lay(_ view: View, over sets: inout Sets) {
        var layer = layers[view] ?? Layer(own: self.sets(of: view))
        for (type, own) in layer.own {
            guard let below = sets[type] else {
                sets[type] = own
                continue
            }
            if layer.laid[type]?.below !== below {
                layer.laid[type] = (below, XDSServer.ResourceSet(own.resources, over: below))
            }
            sets[type] = layer.laid[type]?.set
        }
        layers[view] = layer
    }

    private func sets(of view: View) -> Sets {
        var sets: Sets = [:]
        for (type, encoded) in encoder.resources(of: view) where !encoded.isEmpty {
            sets[type.served] = XDSServer.ResourceSet(encoded.map { served(type, $0) })
        }
        return sets
    }

    private func derive(_ sets: Sets, _ change: ResourceChange) -> Sets {
        var sets = sets
        for type in EnvoyConfig.ResourceType.allCases {
            let changed = change.changed[type] ?? []
            let removed = change.removed[type] ?? []
            if changed.isEmpty && removed.isEmpty { continue }
            sets[type.served] = (sets[type.served] ?? .empty)
                .updating(set: changed.map { served(type, $0) }, removing: removed)
        }
        return sets
    }

    private func served(
        _ type: EnvoyConfig.ResourceType, _ resource: EnvoyConfig.EncodedResource
    ) -> XDSServer.EncodedResource {
        XDSServer.EncodedResource(
            type.served, name: resource.name, body: resource.bytes, ttl: type == .listener ? listenerTTL : nil)
    }

    /// The parts of objects that a client of this view refuses, by the name of the resource; nothing of resources that it
    /// did not name.
    mutating func sources(of refusal: TypeReport, in view: ProxyView) -> [String: [Source]] {
        guard let complaint = refusal.error, let type = refusal.type.encoded else { return [:] }
        let current = views[view.id].flatMap { snapshot(of: $0) }
        let isCurrent = current?[refusal.type].version == refusal.refusedVersion && current != nil
        let pairs = refusal.refused.map { name in
            let sources = encoder.sources(
                of: type, named: name, refusedWith: complaint, isCurrent: isCurrent, in: compiler,
                mesh: view.mesh)
            return (name, sources)
        }
        return Dictionary(pairs, uniquingKeysWith: { first, _ in first })
    }

    /// What the last compilation found wrong with the mesh's objects.
    var diagnostics: [Diagnostic] { compiler.diagnostics }
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
