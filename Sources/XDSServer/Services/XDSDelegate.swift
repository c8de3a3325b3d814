package import GRPCServer

/// A client's words about itself in its first message (`envoy.config.core.v3.Node`), without the fields that nobody reads.
package struct NodeInfo: Hashable, Sendable {
    package var id: String
    package var cluster: String
    /// String-valued members of the node's metadata.
    package var metadata: [String: String]

    package init(id: String, cluster: String = "", metadata: [String: String] = [:]) {
        self.id = id
        self.cluster = cluster
        self.metadata = metadata
    }
}

/// A client that wants in.
package struct AdmissionRequest: Sendable {
    /// The call's metadata, where a token may be.
    package var metadata: GRPCMetadata
    package var node: NodeInfo
    /// The identity that the metadata proved already.
    package var identity: CallIdentity?

    package init(metadata: GRPCMetadata, node: NodeInfo, identity: CallIdentity? = nil) {
        self.metadata = metadata
        self.node = node
        self.identity = identity
    }
}

/// The maker of a call, as far as its metadata proves it.
package struct CallIdentity: Sendable {
    /// The tenant of the client. When many come at once, tenants take turns.
    package var tenant: String
    /// For the delegate, so that it need not find it out again.
    package var proof: any Sendable

    package init(tenant: String, proof: any Sendable) {
        self.tenant = tenant
        self.proof = proof
    }
}

/// An admitted client: who it is, and what it is served.
package struct Admission: Hashable, Sendable {
    /// Under which name the client's state is kept (``ProxyRegistry``). Its streams are one client's (``ProxyStreams``).
    package var proxy: String
    package var view: ViewID
    /// The tenant of the client. When many come at once, tenants take turns.
    package var tenant: String
    /// The part of the client's proof that says whose snapshots it may be served, for ``XDSDelegate/refusal(of:owner:)``.
    package var right: String
    /// The views that have layers in common with this one, by a name. Every group that a tenant's clients are in takes memory (``TenantLimits``).
    package var group: String

    package init(proxy: String, view: ViewID, tenant: String, right: String = "", group: String = "") {
        self.group = group
        self.right = right
        self.proxy = proxy
        self.view = view
        self.tenant = tenant
    }
}

/// Decides who is served what. The one thing that the xDS server asks of the mesh.
package protocol XDSDelegate: Sendable {
    /// Called on an event loop for the first message of every stream: must be quick and must not block.
    ///
    /// - Throws: the status that the stream is ended with.
    func admit(_ request: AdmissionRequest) throws(GRPCStatus) -> Admission

    /// Finds out who a client is, as far as the metadata of its call proves it. Called on an event loop before anything that the client
    /// sends is read: must be quick and must not block.
    ///
    /// - Returns: `nil` if the metadata says nothing; if the client has to wait, it waits with all others of which it cannot be
    ///   told.
    /// - Throws: the status that the call is ended with, if what the metadata says is not true.
    func identity(of metadata: GRPCMetadata) throws(GRPCStatus) -> CallIdentity?

    /// Whether a client must not be served what belongs to an owner (``Snapshot/owner``). Called on an event loop before a
    /// client's first snapshot, and before each that has another owner than the one before: must be quick and must not block.
    ///
    /// - Returns: the status that the stream is ended with; `nil`: it may.
    func refusal(of admission: Admission, owner: String) -> GRPCStatus?
}

/// The owner of the snapshots that a stream has been served.
struct LifeGuard {
    /// `nil`: none has been served, or of nobody.
    private(set) var name: String?

    /// - Throws: the status to end the stream with, if its client must not be served the snapshot.
    mutating func check(
        _ snapshot: Snapshot, for admission: Admission, _ delegate: some XDSDelegate
    ) throws(GRPCStatus) {
        // Mostly the same text in the same place, which is one comparison.
        guard snapshot.owner != name else { return }
        if let owner = snapshot.owner, let refusal = delegate.refusal(of: admission, owner: owner) { throw refusal }
        name = snapshot.owner
    }
}
