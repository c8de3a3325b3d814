internal import EnvoyProtos
internal import SwiftProtobuf

extension StatsReport {
    /// Why a message is not read.
    package struct Unreadable: Error, Hashable {
        package let reason: String
    }

    /// Reads what Envoy's sink of OpenTelemetry sends (`opentelemetry.proto.collector.metrics.v1.ExportMetricsServiceRequest`).
    ///
    /// The sink is told to send whole names without tags, and changes only. Metrics that are no statistics of a cluster say that the
    /// client is there; they are left out, as are points that say the impossible: negative numbers, counts that do not fit
    /// their bounds, status codes outside of 100…999 and of 0…99 for gRPC.
    ///
    /// - Throws: ``Unreadable`` if it is no such message, or counts from the client's start: added up that would count
    ///   everything again with each report.
    package init(_ message: [UInt8], identity: CallIdentity) throws(Unreadable) {
        guard
            let request = try? Opentelemetry_Proto_Collector_Metrics_V1_ExportMetricsServiceRequest(
                serializedBytes: message)
        else { throw Unreadable(reason: "the message is not an ExportMetricsServiceRequest") }
        self.init(identity: identity)
        for resource in request.resourceMetrics {
            for library in resource.instrumentationLibraryMetrics {
                for metric in library.metrics { try add(metric) }
            }
        }
    }

    private mutating func add(_ metric: Opentelemetry_Proto_Metrics_V1_Metric) throws(Unreadable) {
        switch metric.data {
        case .sum(let sum):
            guard let (cluster, statistic) = Statistic.split(metric.name) else { return }
            try Self.check(sum.aggregationTemporality)
            for point in sum.dataPoints {
                guard case .asInt(let count) = point.value, count > 0 else { continue }
                note(point.startTimeUnixNano, point.timeUnixNano)
                change(cluster) { $0.add(UInt64(count), to: statistic) }
            }
        case .histogram(let histogram):
            guard let (cluster, statistic) = Statistic.split(metric.name), statistic == .time else { return }
            try Self.check(histogram.aggregationTemporality)
            for point in histogram.dataPoints where point.count > 0 {
                guard point.bucketCounts.count == point.explicitBounds.count + 1, point.sum.isFinite, point.sum >= 0
                else { continue }
                note(point.startTimeUnixNano, point.timeUnixNano)
                change(cluster) {
                    $0.times = .init(bounds: point.explicitBounds, counts: point.bucketCounts, sum: point.sum)
                }
            }
        case .gauge, nil: return
        }
    }

    private static func check(_ temporality: Opentelemetry_Proto_Metrics_V1_AggregationTemporality) throws(Unreadable) {
        guard temporality == .delta else {
            throw Unreadable(reason: "metrics must have the aggregation temporality DELTA, as the bootstrap says")
        }
    }

    private mutating func note(_ start: UInt64, _ end: UInt64) {
        // The first start that Envoy 1.40 gives is in microseconds.
        guard end > start, end - start <= 3_600_000_000_000 else { return }
        interval = max(interval ?? .zero, .nanoseconds(Int64(end - start)))
    }

    private mutating func change(_ cluster: String, _ body: (inout ClusterStats) -> Void) {
        guard clusters.count < Self.maxClusters || clusters[cluster] != nil else { return }
        body(&clusters[cluster, default: ClusterStats()])
    }
}

/// A statistic of a cluster that is read.
private enum Statistic: Hashable {
    case answer(Int)
    case retried(Int)
    case call(Int)
    case time
    case receivedBytes
    case sentBytes

    /// Takes the name of a statistic apart, `cluster.<name>.upstream_rq_200`. Names of clusters have dots in them; those of
    /// statistics are known, and no host has a label like them, for want of underscores or for being a number.
    static func split(_ name: String) -> (cluster: String, statistic: Statistic)? {
        guard name.utf8.count <= 1_024, name.hasPrefix("cluster."), let dot = name.utf8.lastIndex(of: UInt8(ascii: "."))
        else { return nil }
        let last = name[name.index(after: dot)...]
        let rest = name[..<dot].dropFirst("cluster.".count)
        switch last {
        case "upstream_rq_time": return (String(rest), .time)
        case "upstream_cx_rx_bytes_total": return (String(rest), .receivedBytes)
        case "upstream_cx_tx_bytes_total": return (String(rest), .sentBytes)
        default: break
        }
        if last.hasPrefix("upstream_rq_"), let code = number(last.dropFirst("upstream_rq_".count), in: 100...999) {
            return rest.hasSuffix(".retry")
                ? (String(rest.dropLast(".retry".count)), .retried(code)) : (String(rest), .answer(code))
        }
        if rest.hasSuffix(".grpc"), let status = number(last, in: 0...99) {
            return (String(rest.dropLast(".grpc".count)), .call(status))
        }
        return nil
    }

    private static func number(_ text: Substring, in range: ClosedRange<Int>) -> Int? {
        guard text.utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }) else { return nil }
        return Int(text).flatMap { range.contains($0) ? $0 : nil }
    }
}

extension ClusterStats {
    fileprivate mutating func add(_ count: UInt64, to statistic: Statistic) {
        switch statistic {
        case .answer(let code): answers[code, default: 0].addSaturating(count)
        case .retried(let code): retried[code, default: 0].addSaturating(count)
        case .call(let status): calls[status, default: 0].addSaturating(count)
        case .receivedBytes: receivedBytes.addSaturating(count)
        case .sentBytes: sentBytes.addSaturating(count)
        case .time: return
        }
    }
}

extension UInt64 {
    /// Adds a number, and stays at the greatest one where the sum would be more: clients may say what they like. (As MeshCore does it,
    /// which an xDS server knows nothing of.)
    fileprivate mutating func addSaturating(_ other: UInt64) {
        let (sum, isOver) = addingReportingOverflow(other)
        self = isOver ? .max : sum
    }
}
