internal import Analysis
internal import EnvoyProtos
internal import MeshModel
internal import SwiftProtobuf

/// The statistics that a sidecar keeps, and how it reports them: Envoy's sink of OpenTelemetry to the xDS port, changes only.
///
/// Only statistics that the list names exist in the sidecar. Without it a report of a mesh of a thousand services is a megabyte,
/// because numbers that go up and down are reported whether they changed or not, and the sidecar takes a third more memory.
///
/// Names are sent whole, without tags. Envoy's extraction of tags cuts names of clusters at the first dot, and giving clusters other
/// names for statistics (`alt_stat_name`) would have every cluster of a running sidecar made anew when the server learns of it.
enum StatsSink {
    /// How often a sidecar reports: as long as the slots that its reports are added up in.
    static let interval = Duration.seconds(10)

    static let config = Envoy_Config_Metrics_V3_StatsConfig.with {
        $0.useAllDefaultTags = Google_Protobuf_BoolValue(false)
        $0.statsMatcher.inclusionList.patterns = patterns
        $0.histogramBucketSettings = [
            .with {
                $0.match.suffix = ".upstream_rq_time"
                $0.buckets = LatencyLadder.bounds.map(Double.init)
            }
        ]
    }

    static func message(to service: Envoy_Config_Core_V3_GrpcService) -> Envoy_Config_Metrics_V3_StatsSink {
        var sink = Envoy_Extensions_StatSinks_OpenTelemetry_V3_SinkConfig()
        sink.grpcService = service
        sink.reportCountersAsDeltas = true
        sink.reportHistogramsAsDeltas = true
        sink.emitTagsAsAttributes = Google_Protobuf_BoolValue(false)
        sink.useTagExtractedName = Google_Protobuf_BoolValue(false)
        return .with {
            $0.name = "envoy.stat_sinks.open_telemetry"
            $0.typedConfig = Google_Protobuf_Any(packing: sink)
        }
    }

    /// Statistics that operators look at when a sidecar does not do what it should; few, and most of them rarely change. Of the server the time
    /// that it is up, so that a sidecar that has sent nothing reports too.
    private static let operators = [
        "listener_manager.", "cluster_manager.", "control_plane.", "listener.",
        "http.outbound_http_proxy.downstream_rq_",
        "http.outbound_http_proxy.downstream_cx_", "server.uptime", "server.live", "server.state",
    ]

    private static let patterns: [Envoy_Type_Matcher_V3_StringMatcher] =
        [.with { $0.safeRegex.regex = services }, .with { $0.safeRegex.regex = others }]
        + operators.map { prefix in .with { $0.prefix = prefix } }

    /// Envoy counts most things twice, a second time under `external.` or `internal.`: no service has such a label there.
    private static let services = #"cluster\.outbound\|[^/]+"# + domain + statistics
    /// A host that is no service's may end in such a label, so these are taken twice; the server knows which hosts there are.
    private static let others = #"cluster\.outbound\|[^/]+/.+"# + statistics

    private static let domain = #"\."# + HostName.domain.replacing(".", with: #"\."#)
    private static let statistics =
        #"\.(?:(?:retry\.)?upstream_rq_[0-9]{3}|upstream_rq_time|upstream_cx_[rt]x_bytes_total|grpc\.[0-9]{1,2})"#
}
