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
    private(set) var revision: Revision?
    private var compiler = Compiler()
    private var encoder = ConfigEncoder()
    private var views: [ViewID: ProxyView] = [:]
    /// What many proxies have in common.
    private var shared: [View: Sets] = [:]
    /// What single proxies have of their own, by resource type, and the sets in which it lies above what they share.
    private var own: [View: Layer] = [:]

    private struct Layer {
        var resources: [XDSServer.ResourceType: [XDSServer.EncodedResource]]
        /// With what each was laid over; they stay as they are for as long as that does.
        var sets: [XDSServer.ResourceType: (below: XDSServer.ResourceSet, set: XDSServer.ResourceSet)] = [:]
    }

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
            for (view, sets) in shared { shared[view] = derive(sets, encoder.change(change, in: view)) }
            for view in own.keys where !encoder.change(change, in: view).isEmpty {
                own[view] = Layer(resources: resources(of: view))
            }
        }
        return views.compactMapValues { snapshot(of: $0) }
    }

    /// Adds a view.
    ///
    /// - Returns: its snapshot, if the mesh has been compiled.
    mutating func insert(_ view: ProxyView) -> Snapshot? {
        views[view.id] = view
        guard revision != nil else { return nil }
        return snapshot(of: view)
    }

    mutating func remove(_ id: ViewID) {
        guard let view = views.removeValue(forKey: id) else { return }
        let layers = view.layers
        if let view = layers.own { own[view] = nil }
        if !views.values.contains(where: { $0.layers.shared == layers.shared }) { shared[layers.shared] = nil }
    }

    private mutating func snapshot(of view: ProxyView) -> Snapshot? {
        guard let revision else { return nil }
        let layers = view.layers
        let below = shared[layers.shared] ?? sets(of: layers.shared)
        shared[layers.shared] = below
        guard let top = layers.own else { return Snapshot(revision: revision, below) }
        var layer = own[top] ?? Layer(resources: resources(of: top))
        var sets = below
        for (type, resources) in layer.resources where !resources.isEmpty {
            let base = below[type] ?? .empty
            if let known = layer.sets[type], known.below === base {
                sets[type] = known.set
            } else {
                let set = XDSServer.ResourceSet(resources, over: base)
                layer.sets[type] = (base, set)
                sets[type] = set
            }
        }
        own[top] = layer
        return Snapshot(revision: revision, sets)
    }

    private func sets(of view: View) -> Sets { resources(of: view).mapValues { XDSServer.ResourceSet($0) } }

    private func resources(of view: View) -> [XDSServer.ResourceType: [XDSServer.EncodedResource]] {
        var resources: [XDSServer.ResourceType: [XDSServer.EncodedResource]] = [:]
        for (type, encoded) in encoder.resources(of: view) {
            resources[type.served] = encoded.map {
                XDSServer.EncodedResource(type.served, name: $0.name, body: $0.bytes)
            }
        }
        return resources
    }

    private func derive(_ sets: Sets, _ change: ResourceChange) -> Sets {
        var sets = sets
        for type in EnvoyConfig.ResourceType.allCases {
            let changed = change.changed[type] ?? []
            let removed = change.removed[type] ?? []
            if changed.isEmpty && removed.isEmpty { continue }
            let encoded = changed.map { XDSServer.EncodedResource(type.served, name: $0.name, body: $0.bytes) }
            sets[type.served] = (sets[type.served] ?? .empty).updating(set: encoded, removing: removed)
        }
        return sets
    }

    /// The parts of objects that a client of this view refuses, by the name of the resource; nothing of resources that it
    /// did not name.
    func sources(of refusal: TypeReport, in view: ProxyView) -> [String: [Source]] {
        guard let complaint = refusal.error, let type = refusal.type.encoded else { return [:] }
        let isCurrent = views[view.id] != nil && version(of: refusal.type, in: view) == refusal.refusedVersion
        let pairs = refusal.refused.map { name in
            let sources = encoder.sources(
                of: type, named: name, refusedWith: complaint, isCurrent: isCurrent, in: compiler,
                mesh: view.mesh)
            return (name, sources)
        }
        return Dictionary(pairs, uniquingKeysWith: { first, _ in first })
    }

    private func version(of type: XDSServer.ResourceType, in view: ProxyView) -> String? {
        guard let below = shared[view.layers.shared] else { return nil }
        guard let top = view.layers.own, let above = own[top]?.resources[type], !above.isEmpty else {
            return (below[type] ?? .empty).version
        }
        return XDSServer.ResourceSet(above, over: below[type]).version
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
