package import MeshCore

extension MeshChange {
    /// In what two states of a mesh differ. States that come from one another share most of their values, so that comparing
    /// them takes little more than going through their names.
    package init(from old: MeshState, to new: MeshState) {
        self.init()
        everything = old.enabledClusters != new.enabledClusters
        services = Self.names(old.services, new.services)
        endpoints = Self.names(old.endpoints, new.endpoints)
        virtualServices = Self.names(old.virtualServices, new.virtualServices)
        destinationRules = Self.names(old.destinationRules, new.destinationRules)
        releases = Self.names(old.releases, new.releases)
    }

    /// The names whose values are different, or are in one of both only.
    package static func names<Value: Equatable>(
        _ old: [NamespacedName: Value], _ new: [NamespacedName: Value]
    ) -> Set<NamespacedName> {
        var names = Set(old.keys.filter { new[$0] == nil })
        for (name, value) in new where old[name] != value { names.insert(name) }
        return names
    }
}
