package import MeshCore

extension MeshState {
    /// Policies of connections.
    package struct Policies: Hashable, Sendable {
        package var spec: DestinationRuleSpec
        package var createTime: Timestamp

        package init(spec: DestinationRuleSpec, createTime: Timestamp) {
            self.spec = spec
            self.createTime = createTime
        }
    }

    package var destinationRules: Table<Policies> {
        get { self[DestinationRuleSpec.self] }
        set { self[DestinationRuleSpec.self] = newValue }
    }
}

extension DestinationRuleSpec {
    package static func input(_ spec: DestinationRuleSpec, of object: StoredObject, in mesh: MeshKey) -> MeshState
        .Policies?
    {
        MeshState.Policies(spec: spec, createTime: object.createTime)
    }

    package static func mentions(_ input: MeshState.Policies, of name: NamespacedName) -> [Mention] {
        Mention.host(input.spec.host, from: name.namespace)
    }
}

extension MeshChange {
    package var destinationRules: Set<NamespacedName> {
        get { self[.destinationRule] }
        set { self[.destinationRule] = newValue }
    }
}
