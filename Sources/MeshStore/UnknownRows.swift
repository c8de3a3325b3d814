internal import CoreMetrics
internal import Logging
internal import Prometheus
internal import Synchronization

/// Counts the rows that were skipped because a newer version of this server has written them, of kinds of objects that this one
/// does not know: while replicas are updated, and after a way back. They stay as they are.
final class UnknownRows: Sendable {
    private static let metric = Metric.counter(
        "sluice_unknown_rows_total",
        "Rows of objects that were skipped because only a newer version knows their kind.")

    /// Each time that a row is read it counts; all stores with one factory count together.
    private let skipped: Counter
    private let isTold = Atomic(false)

    init(_ metrics: any MetricsFactory) { skipped = Self.metric.makeCounter(in: metrics) }

    func note(_ rows: Int, _ logger: Logger) {
        guard rows > 0 else { return }
        skipped.increment(by: rows)
        if !isTold.exchange(true, ordering: .relaxed) {
            logger.warning("the database has objects of kinds that this version does not know; they are left alone")
        }
    }
}
