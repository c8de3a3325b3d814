internal import Documents

/// A text of a metric in which arguments may stand.
struct MetricText: Sendable {
    /// The place in the metric's document.
    let path: [String]
    /// Whether `{{window}}` and the like may stand in it.
    let hasTime: Bool
    let get: @Sendable (AnalysisMetric) -> String?
    let set: @Sendable (inout AnalysisMetric, String) -> Void
    /// Puts arguments in their places.
    let insert: @Sendable (TextTemplate, [String: String]) throws(TextTemplate.Problem) -> String
    /// The reason why a text without arguments is wrong; `nil` if it is right.
    let problem: @Sendable (String, AnalysisMetric) -> String?

    static let all: [MetricText] = [
        condition("successCondition", \.successCondition), condition("failureCondition", \.failureCondition),
        bound("min", \.min), bound("max", \.max), query, httpPath, httpQuery,
    ]

    /// An argument stands in a condition as it is.
    private static func condition(
        _ name: String, _ path: any WritableKeyPath<AnalysisMetric, String?> & Sendable
    ) -> MetricText {
        MetricText(
            path: [name], hasTime: false, get: { $0[keyPath: path] }, set: { $0[keyPath: path] = $1 }, insert: verbatim,
            problem: { text, metric in
                do throws(ExpressionProblem) {
                    _ = try Expression(text, hasBaseline: metric.baseline != nil)
                    return nil
                } catch {
                    return error.message
                }
            })
    }

    private static func bound(
        _ name: String, _ path: any WritableKeyPath<ThresholdRange, ThresholdRange.Bound?> & Sendable
    ) -> MetricText {
        MetricText(
            path: ["thresholdRange", name], hasTime: false,
            get: { metric in
                guard case .text(let text) = metric.thresholdRange?[keyPath: path] else { return nil }
                return text
            },
            set: { metric, text in
                metric.thresholdRange?[keyPath: path] = ThresholdRange.number(text).map(ThresholdRange.Bound.number)
            }, insert: verbatim,
            problem: { text, _ in ThresholdRange.number(text) == nil ? "must be a number, not \"\(text)\"" : nil })
    }

    private static let query = MetricText(
        path: ["provider", "prometheus", "query"], hasTime: true, get: { $0.prometheus?.query },
        set: { $0.prometheus?.query = $1 },
        insert: { template, values throws(TextTemplate.Problem) in try PromQLText.insert(values, into: template) },
        problem: { text, _ in
            text.utf8.count > PrometheusQuery.maxLength
                ? "must be at most \(PrometheusQuery.maxLength) bytes long" : nil
        })

    private static let httpPath = MetricText(
        path: ["provider", "httpJson", "path"], hasTime: true, get: { $0.httpJSON?.path },
        set: { $0.httpJSON?.path = $1 }, insert: percentEncoded,
        problem: { text, _ in
            guard text.utf8.count <= HTTPJSONQuery.maxPathLength else {
                return "must be at most \(HTTPJSONQuery.maxPathLength) bytes long"
            }
            return HTTPJSONQuery.pathProblem(sample(text))
        })

    private static let httpQuery = MetricText(
        path: ["provider", "httpJson", "query"], hasTime: true, get: { $0.httpJSON?.query },
        set: { $0.httpJSON?.query = $1 }, insert: percentEncoded,
        problem: { text, _ in
            guard text.utf8.count <= HTTPJSONQuery.maxQueryLength else {
                return "must be at most \(HTTPJSONQuery.maxQueryLength) bytes long"
            }
            return HTTPJSONQuery.queryProblem(sample(text))
        })

    private static let verbatim: @Sendable (TextTemplate, [String: String]) throws(TextTemplate.Problem) -> String = {
        template, values throws(TextTemplate.Problem) in template.resolved { values[$0] }
    }

    private static let percentEncoded:
        @Sendable (TextTemplate, [String: String]) throws(TextTemplate.Problem) -> String =
            { template, values throws(TextTemplate.Problem) in
                template.resolved { values[$0].map(PercentEncoding.encode) }
            }

    /// A text with something harmless in the places of placeholders.
    private static func sample(_ text: String) -> String {
        guard let template = try? TextTemplate(text) else { return text }
        return template.pieces.map { if case .text(let text) = $0 { text } else { "1" } }.joined()
    }
}

extension AnalysisMetric {
    /// The query of Prometheus, if there is one to read or to replace.
    fileprivate var prometheus: PrometheusQuery? {
        get {
            guard case .provider(let provider) = source, case .prometheus(let query) = provider.query else {
                return nil
            }
            return query
        }
        set {
            guard case .provider(var provider) = source, let newValue else { return }
            provider.query = .prometheus(newValue)
            source = .provider(provider)
        }
    }

    /// The query of a JSON document, likewise.
    fileprivate var httpJSON: HTTPJSONQuery? {
        get {
            guard case .provider(let provider) = source, case .httpJSON(let query) = provider.query else { return nil }
            return query
        }
        set {
            guard case .provider(var provider) = source, let newValue else { return }
            provider.query = .httpJSON(newValue)
            source = .provider(provider)
        }
    }
}
