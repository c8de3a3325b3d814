internal import Analysis
internal import GrayRelease

/// All kinds of objects. The only place that lists them: what can be said of every kind follows from this table, and what is
/// true of some alone stands in `KindWriteRules.swift` (MeshControl) and `KindHook.swift` (MeshStore).
package let kinds = KindTable([
    TenantSpec.self, ClusterSpec.self, MeshSpec.self, ServiceSpec.self, EndpointSpec.self, VirtualServiceSpec.self,
    DestinationRuleSpec.self, ServiceEntrySpec.self, ReleaseSpec.self, AnalysisTemplateSpec.self,
    MetricProviderSpec.self, SecretSpec.self, NotificationChannelSpec.self, FreezeWindowSpec.self,
])
