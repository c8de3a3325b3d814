package import GrayRelease
package import MeshCore

/// Everything of one mesh that configuration is compiled from, as of one revision. A value: copies are cheap and never
/// change under their reader.
package struct MeshState: Sendable {
    package struct Service: Hashable, Sendable {
        package var spec: ServiceSpec
        package var status: ServiceStatus
        package var revision: Revision

        package init(spec: ServiceSpec, status: ServiceStatus, revision: Revision) {
            self.spec = spec
            self.status = status
            self.revision = revision
        }
    }

    /// Rules of traffic with the revision at which they were last written, which decides whether a promotion re-points
    /// them (``ServiceStatus/Promotion``).
    package struct Rules: Hashable, Sendable {
        package var spec: VirtualServiceSpec
        package var revision: Revision
        package var createTime: Timestamp

        package init(spec: VirtualServiceSpec, revision: Revision, createTime: Timestamp) {
            self.spec = spec
            self.revision = revision
            self.createTime = createTime
        }
    }

    /// Policies of connections.
    package struct Policies: Hashable, Sendable {
        package var spec: DestinationRuleSpec
        package var createTime: Timestamp

        package init(spec: DestinationRuleSpec, createTime: Timestamp) {
            self.spec = spec
            self.createTime = createTime
        }
    }

    /// An instance, and since when it is there: at what only one can have, who came later has to stand back.
    package struct Endpoint: Hashable, Sendable {
        package var spec: EndpointSpec
        package var createTime: Timestamp

        package init(spec: EndpointSpec, createTime: Timestamp) {
            self.spec = spec
            self.createTime = createTime
        }
    }

    package var mesh: MeshKey
    /// Which mesh of this name it is; `nil`: not known.
    package var life: MeshLife?
    /// The revision that the state is of.
    package var revision: Revision
    package var services: [NamespacedName: Service] = [:]
    /// By service, then by the endpoint's name. Endpoints may outlive or precede their service.
    package var endpoints: [NamespacedName: [Name: Endpoint]] = [:]
    package var virtualServices: [NamespacedName: Rules] = [:]
    package var destinationRules: [NamespacedName: Policies] = [:]
    /// Releases that own traffic, by the release's name.
    package var releases: [NamespacedName: ReleaseTraffic] = [:]
    /// Clusters of the tenant on which this mesh is enabled. Endpoints elsewhere are not part of the mesh.
    package var enabledClusters: Set<Name> = []

    package init(mesh: MeshKey, revision: Revision = 0) {
        self.mesh = mesh
        self.revision = revision
    }
}

/// What changed between two states of a mesh, by the names of what must be looked at again.
package struct MeshChange: Hashable, Sendable {
    /// Services whose own object or status changed, appeared or went.
    package var services: Set<NamespacedName> = []
    /// Services whose endpoints changed.
    package var endpoints: Set<NamespacedName> = []
    package var virtualServices: Set<NamespacedName> = []
    package var destinationRules: Set<NamespacedName> = []
    package var releases: Set<NamespacedName> = []
    /// Everything has to be looked at: the set of enabled clusters changed, or the state is new.
    package var everything = false

    package init() {}

    package static var all: MeshChange {
        var change = MeshChange()
        change.everything = true
        return change
    }

    /// Whether something of it is waited for: endpoints, which come and go by themselves, and steps of releases.
    package var isUrgent: Bool { !endpoints.isEmpty || !releases.isEmpty }

    package var isEmpty: Bool {
        !everything && services.isEmpty && endpoints.isEmpty && virtualServices.isEmpty && destinationRules.isEmpty
            && releases.isEmpty
    }
}
