/// The state of a run of an analysis, of one of its metrics or of one measurement, by the names of Argo Rollouts.
package enum AnalysisPhase: String, CaseIterable, Sendable {
    case pending = "Pending"
    case running = "Running"
    case successful = "Successful"
    case failed = "Failed"
    /// Nothing could be measured. It ends nothing: measuring goes on, and the first answer clears it.
    case error = "Error"
    case inconclusive = "Inconclusive"
    /// A measurement that was not taken, and counts for nothing.
    case skipped = "Skipped"
    /// A run whose plan ended before it.
    case canceled = "Canceled"

    /// Whether a metric or a run in this phase measures no more.
    package var isFinal: Bool {
        switch self {
        case .successful, .failed, .inconclusive, .skipped, .canceled: true
        case .pending, .running, .error: false
        }
    }

    /// How bad it is: the place in the order in which the worst metric decides.
    private var badness: Int {
        switch self {
        case .skipped, .canceled: 0
        case .successful: 1
        case .running: 2
        case .pending: 3
        case .inconclusive: 4
        case .error: 5
        case .failed: 6
        }
    }

    /// The worse one of two: Successful, Running, Pending, Inconclusive, Error, Failed.
    package func worse(_ other: AnalysisPhase) -> AnalysisPhase { badness >= other.badness ? self : other }

    /// The phase of a run: that of its worst metric. Metrics of dry runs have no say; without any other the run is done when they
    /// are, and succeeds.
    package static func ofRun(_ metrics: [(phase: AnalysisPhase, isDryRun: Bool)]) -> AnalysisPhase {
        let deciding = metrics.filter { !$0.isDryRun }
        guard deciding.isEmpty else { return deciding.reduce(.skipped) { $0.worse($1.phase) } }
        return metrics.allSatisfy { $0.phase.isFinal } ? .successful : .running
    }
}
