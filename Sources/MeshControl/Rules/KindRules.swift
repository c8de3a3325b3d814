internal import MeshCore
internal import MeshModel

extension Kind {
    /// The rules that a write of an object has to fit, with their consequences, kind by kind. The one list of what use
    /// cases do differently for some kinds; a kind that is not in it only has to be well-formed.
    private static let allRules: [Kind: any ObjectRules] = [
        .tenant: TenantRules(),
        .cluster: ClusterRules(),
        .mesh: MeshRules(),
        .service: ServiceRules(),
        .serviceEntry: ServiceEntryRules(),
        .endpoint: EndpointRules(),
        .virtualService: VirtualServiceRules(),
        .destinationRule: DestinationRuleRules(),
        .release: ReleaseRules(),
    ]

    var rules: any ObjectRules { Self.allRules[self] ?? PlainRules() }
}
