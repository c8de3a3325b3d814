internal import Documents
internal import MeshCore

/// Templates that every mesh has without anybody writing them; they cannot be changed.
package enum BuiltinTemplates {
    /// The template of a step that names none.
    package static let standard = "builtin/http-golden"

    /// By their names in releases.
    package static let all: [String: AnalysisTemplateSpec] = [
        standard: httpGolden, "builtin/http-compare": httpCompare,
    ]

    /// Shares of good answers, as the version and as its callers see them.
    private static let httpGolden = template([
        share("attempt-success", .attemptSuccessRate), share("request-success", .requestSuccessRate),
    ])

    /// The mean latency and the share of good answers in relation to those of stable.
    private static let httpCompare = template([
        comparison("latency", of: .meanDuration, .increase) {
            $0.allowedIncrease = 1.1
            $0.criticalIncrease = 1.5
        },
        comparison("errors", of: .attemptSuccessRate, .decrease) {
            $0.allowedDecrease = 0.995
            $0.criticalDecrease = 0.95
        },
    ])

    private static func template(_ metrics: [AnalysisMetric]) -> AnalysisTemplateSpec {
        var template = AnalysisTemplateSpec()
        template.metrics = metrics
        return template
    }

    private static func share(_ name: String, _ builtin: BuiltinMetric) -> AnalysisMetric {
        var metric = AnalysisMetric()
        metric.name = Name(name) ?? .blank
        metric.source = .provider(MetricProvider(.builtin(builtin)))
        metric.count = 5
        metric.successCondition = "result >= 0.99"
        metric.failureCondition = "result < 0.97"
        metric.failureLimit = 1
        return metric
    }

    private static func comparison(
        _ name: String, of builtin: BuiltinMetric, _ direction: JudgeOptions.Direction,
        _ size: (inout EffectSize) -> Void
    ) -> AnalysisMetric {
        var options = JudgeOptions()
        options.direction = direction
        options.isCritical = true
        size(&options.effectSize)
        var metric = AnalysisMetric()
        metric.name = Name(name) ?? .blank
        metric.source = .judge(options)
        metric.series = BuiltinSeries(builtin)
        metric.groups = [name]
        return metric
    }
}
