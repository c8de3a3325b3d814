package import GRPCServer

/// What a client says about itself in its first message (`envoy.config.core.v3.Node`), without what nobody reads.
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
    /// What was found out of the metadata already.
    package var identity: CallIdentity?

    package init(metadata: GRPCMetadata, node: NodeInfo, identity: CallIdentity? = nil) {
        self.metadata = metadata
        self.node = node
        self.identity = identity
    }
}

/// Who makes a call, as far as its metadata proves it.
package struct CallIdentity: Sendable {
    /// Whose the client is. When many come at once, tenants take turns.
    package var tenant: String
    /// For the delegate, so that it need not find it out again.
    package var proof: any Sendable

    package init(tenant: String, proof: any Sendable) {
        self.tenant = tenant
        self.proof = proof
    }
}

/// Who a client is, and what it is served.
package struct Admission: Hashable, Sendable {
    /// Under which name the client's state is kept (``ProxyRegistry``). A newer stream with the same key replaces an older.
    package var proxy: String
    package var view: ViewID
    /// Whose the client is. When many come at once, tenants take turns.
    package var tenant: String

    package init(proxy: String, view: ViewID, tenant: String) {
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

    /// Who a client is, as far as the metadata of its call proves it. Called on an event loop for clients that have to
    /// wait before they are admitted: must be quick and must not block.
    ///
    /// - Returns: `nil` if it cannot be told; then it waits with all others of which it cannot.
    func identity(of metadata: GRPCMetadata) -> CallIdentity?
}
