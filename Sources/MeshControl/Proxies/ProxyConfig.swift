package import Documents
package import MeshCore
package import MeshStore

/// Finds out what a proxy was sent. The data plane does: it knows Envoy.
package typealias ProxyConfigSource = @Sendable (ProxyRow) async throws -> ProxyConfig

/// The configuration that a proxy was sent last, and that it would be sent now.
package struct ProxyConfig: Sendable {
    package struct Resource: Sendable {
        package var name: String
        /// A hash of its content.
        package var version: String
        /// Its content.
        package var content: @Sendable () -> JSONValue

        package init(name: String, version: String, content: @escaping @Sendable () -> JSONValue) {
            self.name = name
            self.version = version
            self.content = content
        }
    }

    /// How it is known what was sent.
    package enum Source: String, Sendable {
        /// The proxy is connected to this replica.
        case stream
        /// The version that was sent is the one that the newest revision comes to.
        case compiled
        /// Only the version is known: the proxy is not connected to this replica, and would be sent something else now.
        case unknown
    }

    package struct OfType: Sendable {
        /// One of ``ProxyConfig/types``.
        package var type: String
        package var state: ProxyTypeStatus.State
        package var source: Source
        package var sentVersion: String
        package var ackedVersion: String
        /// The version of all resources of the type that the proxy may want now.
        package var currentVersion: String
        /// Sorted by name; empty if the source is unknown.
        package var sent: [Resource]
        /// The resources that the proxy would be sent now of those that it wants; sorted by name.
        package var current: [Resource]

        package init(
            type: String, state: ProxyTypeStatus.State, source: Source, sentVersion: String, ackedVersion: String,
            currentVersion: String, sent: [Resource], current: [Resource]
        ) {
            self.type = type
            self.state = state
            self.source = source
            self.sentVersion = sentVersion
            self.ackedVersion = ackedVersion
            self.currentVersion = currentVersion
            self.sent = sent
            self.current = current
        }
    }

    package static let types = ["CDS", "EDS", "LDS", "SRDS", "RDS", "VHDS", "ECDS", "SDS", "RTDS"]

    /// The mesh's revision that decides what would be sent now.
    package var revision: Revision
    /// The configuration of each type that the proxy wants, in the order of ``types``.
    package var ofTypes: [OfType]

    package init(revision: Revision, ofTypes: [OfType]) {
        self.revision = revision
        self.ofTypes = ofTypes
    }

    /// Without other types and resources; `nil` stands for all.
    package func only(type: String?, resource: String?) -> ProxyConfig {
        var config = self
        if let type { config.ofTypes.removeAll { $0.type != type } }
        guard let resource else { return config }
        for index in config.ofTypes.indices {
            config.ofTypes[index].sent.removeAll { $0.name != resource }
            config.ofTypes[index].current.removeAll { $0.name != resource }
        }
        return config
    }
}
