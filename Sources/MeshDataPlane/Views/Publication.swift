internal import EnvoyConfig
internal import MeshCompiler
internal import MeshCore
internal import MeshModel
internal import XDSServer

/// What a mesh's proxies are served at one revision. Immutable: all of its layers change at once, by one reference.
final class Publication: Sendable {
    /// Layers that lie above one another, as some proxies have them in common.
    private struct Stack {
        var sets: Layer.Sets
        /// Of the proxies that have nothing on top; most have not.
        var snapshot: Snapshot
    }

    /// Of a mesh that has not been compiled.
    static let none = Publication(revision: 0, owner: nil, layers: [:], stacks: [:])

    let revision: Revision
    /// Whose snapshots they are.
    let owner: String?
    /// The layers of which stacks are made. What many proxies have in common is there once.
    let layers: [View: Layer]
    private let stacks: [[View]: Stack]

    private init(revision: Revision, owner: String?, layers: [View: Layer], stacks: [[View]: Stack]) {
        self.revision = revision
        self.owner = owner
        self.layers = layers
        self.stacks = stacks
    }

    /// - Parameters:
    ///   - stacks: each from the bottom up.
    ///   - layers: all that are in them.
    ///   - previous: what was served before.
    convenience init(
        of state: MeshState, _ stacks: some Sequence<[View]>, _ layers: [View: Layer],
        after previous: Publication = .none
    ) {
        let owner = state.life?.description
        // The same text in the same place is quick to compare, and every stream does.
        self.init(
            revision: state.revision, owner: owner == previous.owner ? previous.owner : owner, layers: layers,
            adding: stacks)
    }

    private convenience init(
        revision: Revision, owner: String?, layers: [View: Layer], kept: [[View]: Stack] = [:],
        adding stacks: some Sequence<[View]>
    ) {
        var all = kept
        for views in stacks {
            let sets = views.reduce(into: Layer.Sets()) { sets, view in
                if let layer = layers[view] { sets = layer.laid(over: sets) }
            }
            all[views] = Stack(sets: sets, snapshot: Snapshot(revision: revision, owner: owner, sets))
        }
        self.init(revision: revision, owner: owner, layers: layers, stacks: all)
    }

    /// With more stacks, and the layers that these need.
    func adding(_ more: some Sequence<[View]>, _ layers: [View: Layer]) -> Publication {
        Publication(
            revision: revision, owner: owner, layers: self.layers.merging(layers) { known, _ in known }, kept: stacks,
            adding: more)
    }

    /// Without stacks on which no view lies any more, and without the layers that only they had.
    func keeping(where isKept: ([View]) -> Bool) -> Publication {
        guard !stacks.keys.allSatisfy(isKept) else { return self }
        let kept = stacks.filter { isKept($0.key) }
        let views = Set(kept.keys.joined())
        return Publication(
            revision: revision, owner: owner, layers: layers.filter { views.contains($0.key) }, stacks: kept)
    }

    func has(_ stack: [View]) -> Bool { stacks[stack] != nil }

    /// What a proxy is served.
    ///
    /// - Parameter own: what lies on top, for it alone.
    /// - Returns: `nil` if its stack is not there.
    func snapshot(on stack: [View], _ own: Layer) -> Snapshot? {
        guard let stack = stacks[stack] else { return nil }
        if own.own.isEmpty { return stack.snapshot }
        return Snapshot(revision: revision, owner: owner, own.laid(over: stack.sets))
    }
}

extension Publication {
    /// What a proxy would be served, by itself.
    static func snapshot(of view: ProxyView, in state: MeshState, listenerTTL: Duration?) -> Snapshot {
        var compiler = Compiler()
        var encoder = LayerEncoder(listenerTTL: listenerTTL)
        _ = encoder.update(compiler.update(state, .all), of: compiler)
        let stack = view.commonLayers
        let publication = Publication(
            of: state, [stack], encoder.layers(of: [stack]))
        return publication.snapshot(on: stack, view.ownLayer.map { encoder.layer($0) } ?? .empty)
            ?? Snapshot(revision: state.revision, [:])
    }
}
