internal import MeshCore
internal import MeshModel

extension Kind {
    /// The rules that a write of an object has to fit, with their consequences, kind by kind. The one list of what use
    /// cases do differently for some kinds; a kind that is not in it only has to be well-formed.
    private static let allRules: [Kind: any ObjectWriteRules] = [
        .tenant: TenantWriteRules(),
        .cluster: ClusterWriteRules(),
        .mesh: MeshWriteRules(),
        .service: ServiceWriteRules(),
        .serviceEntry: ServiceEntryWriteRules(),
        .endpoint: EndpointWriteRules(),
        .virtualService: VirtualServiceWriteRules(),
        .destinationRule: DestinationRuleWriteRules(),
        .release: ReleaseWriteRules(),
        .analysisTemplate: AnalysisTemplateWriteRules(),
        .metricProvider: MetricProviderWriteRules(),
        .secret: SecretWriteRules(),
        .notificationChannel: NotificationChannelWriteRules(),
        .freezeWindow: FreezeWindowWriteRules(),
    ]

    var rules: any ObjectWriteRules { Self.allRules[self] ?? PlainRules() }
}
