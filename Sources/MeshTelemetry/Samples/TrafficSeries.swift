package import MeshCore

/// The sender of requests, as the credentials of the sidecar that counted them say.
package struct TrafficSource: Hashable, Comparable, Sendable {
    /// The service that the sidecar stands before, or that calls through it.
    package var service: NamespacedName
    /// The version of the service that is behind the sidecar; `nil`: no endpoint says so.
    package var version: Name?

    package init(service: NamespacedName, version: Name?) {
        self.service = service
        self.version = version
    }

    package static func < (a: Self, b: Self) -> Bool {
        (a.service, a.version?.text ?? "") < (b.service, b.version?.text ?? "")
    }
}

/// Some of the requests to a host: those that one sort of sender sent to one version at one port.
package struct TrafficSeries: Hashable, Comparable, Sendable {
    /// The destination's; `1...65_535`.
    package var port: Int
    /// The destination's; `nil`: endpoints of whichever version.
    package var version: Name?
    /// `nil`: several senders, counted together because there were too many.
    package var source: TrafficSource?

    package init(port: Int, version: Name?, source: TrafficSource?) {
        self.port = port
        self.version = version
        self.source = source
    }

    package static func < (a: Self, b: Self) -> Bool {
        if a.port != b.port { return a.port < b.port }
        if a.version != b.version { return (a.version?.text ?? "") < (b.version?.text ?? "") }
        guard let mine = a.source else { return b.source != nil }
        return b.source.map { mine < $0 } ?? false
    }
}
