/// A metric and its series.
struct Family: Sendable {
    let metric: Metric
    /// By their labels, as they are written.
    private var series: [String: any Series] = [:]

    init(_ metric: Metric) { self.metric = metric }

    /// The series with these labels, made if it is new. If there are as many as there may be, the one of all that is beyond
    /// them, and `nil` for a gauge.
    mutating func series(_ dimensions: [(String, String)]) -> (any Series)? {
        let labels = Exposition.labels(dimensions)
        if let known = series[labels] { return known }
        guard series.count >= metric.seriesLimit else { return insert(labels) }
        if case .gauge = metric.kind { return nil }
        let overflow = Exposition.labels(metric.labels.map { ($0, Metric.overflow) })
        return series[overflow] ?? insert(overflow)
    }

    private mutating func insert(_ labels: String) -> any Series {
        let new: any Series =
            switch metric.kind {
            case .counter: CounterSeries()
            case .gauge: GaugeSeries()
            case .histogram(let bounds): HistogramSeries(bounds: bounds)
            }
        series[labels] = new
        return new
    }

    func write(to text: inout Exposition) {
        text.begin(metric)
        for (labels, series) in series.sorted(by: { $0.key < $1.key }) {
            series.write(metric.name, labels, to: &text)
        }
    }
}
