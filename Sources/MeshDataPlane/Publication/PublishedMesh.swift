internal import Synchronization
internal import XDSServer

/// What the proxies of one mesh are served at the moment, for all threads. Its publisher brings it up to date
/// (``MeshPublisher``); event loops take from it what a proxy that has just come is served, so that a thousand who come at once
/// need not wait for another thread, each.
///
/// The lock is held to swap a reference and to note a view: nothing is compiled, encoded or put together meanwhile. Lock order:
/// this one, then the ``SnapshotStore``'s.
final class PublishedMesh: Sendable {
    private struct State {
        var content = MeshContent()
        /// `nil`: the publisher has it. There is only one, because of two each change would have to copy all.
        var encoder: LayerEncoder?
    }

    private let state: Mutex<State>

    /// - Parameter listenerTTL: how long a sidecar that hears from no server goes on with its listeners; `nil`: for ever.
    init(listenerTTL: Duration? = nil) { state = Mutex(State(encoder: LayerEncoder(listenerTTL: listenerTTL))) }

    var isCompiled: Bool { state.withLock { $0.content.publication !== Publication.none } }

    // MARK: For event loops

    /// What a proxy that has come is served; from then on it is told of changes.
    ///
    /// - Returns: `nil` if the publisher has to make it: it is the first of its kind, for which much is missing, or one that was
    ///   never here comes while a change is encoded.
    func snapshot(of view: ProxyView) -> Snapshot? {
        let stack = view.commonLayers
        let found = state.withLock { state -> (publication: Publication, own: Layer?, encoder: LayerEncoder?)? in
            guard state.content.publication.has(stack) else { return nil }
            let entry = state.content[view] ?? MeshContent.Entry(view)
            if entry.own != nil { state.content.wake(view) }
            return (state.content.publication, entry.own, entry.own == nil ? state.encoder : nil)
        }
        guard let (publication, own, encoder) = found else { return nil }
        if let own { return publication.snapshot(on: stack, own) }
        guard let encoder, let top = view.ownLayer else { return nil }
        let made = encoder.layer(top)
        let isNoted = state.withLock { state in
            // Of what is served by now, the layer need not be.
            guard state.content.publication === publication, state.encoder != nil else { return false }
            state.content.wake(view, own: made)
            return true
        }
        return isNoted ? publication.snapshot(on: stack, made) : nil
    }

    // MARK: For who looks after views

    /// Notes a view of which something has yet to be made.
    func note(_ view: ProxyView) { state.withLock { $0.content.wake(view) } }

    /// Has a view not be told of changes any more until a proxy has it again, but keeps what it is made of.
    ///
    /// - Parameter isWanted: whether a proxy has come meanwhile, which has had its view woken, or will.
    /// - Returns: whether it rests.
    func rest(_ view: ProxyView, unless isWanted: (ViewID) -> Bool) -> Bool {
        state.withLock { state in
            guard !isWanted(view.id) else { return false }
            if state.content[view] != nil { state.content[view]?.isWanted = false }
            return true
        }
    }

    /// Forgets a view, and what only it was made of.
    ///
    /// - Parameter isWanted: as in ``rest(_:unless:)``.
    /// - Returns: whether it was the last view.
    func remove(_ view: ProxyView, unless isWanted: (ViewID) -> Bool) -> Bool {
        state.withLock { state in
            guard !isWanted(view.id) else { return false }
            state.content[view] = nil
            state.content.prune()
            return state.content.isEmpty
        }
    }

    // MARK: For the publisher

    /// What is served, and the encoder, which the publisher has until it publishes.
    struct Loan: Sendable {
        var encoder: LayerEncoder
        let content: MeshContent
    }

    /// - Returns: `nil` if it is borrowed already.
    func borrow() -> Loan? {
        state.withLock { state in state.encoder.take().map { Loan(encoder: $0, content: state.content) } }
    }

    /// Swaps what is served.
    ///
    /// - Parameters:
    ///   - publication: for the stacks that were borrowed; what the last view has left meanwhile is left out.
    ///   - own: layers of single views that are other ones than before.
    /// - Returns: what is served, and to which views.
    func publish(
        _ publication: Publication, _ own: [(view: ProxyView, layer: Layer)], returning encoder: LayerEncoder
    ) -> MeshContent {
        state.withLock { state in
            state.encoder = encoder
            state.content.publication = publication
            for (view, layer) in own where state.content[view] != nil { state.content[view]?.own = layer }
            state.content.prune()
            return state.content
        }
    }

    /// What is served, and what it was made with, to look at.
    var current: (content: MeshContent, encoder: LayerEncoder?) { state.withLock { ($0.content, $0.encoder) } }
}
