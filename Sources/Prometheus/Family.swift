/// A metric and its series.
struct Family: Sendable {
    let metric: Metric
    /// By their labels, as they are written.
    private var series: [String: any Series] = [:]

    init(_ metric: Metric) { self.metric = metric }

    /// The series with these labels, made if it is new; the one of all that is too much, if there are as many as there may be.
    mutating func series(_ dimensions: [(String, String)]) -> any Series {
        let labels = Exposition.labels(dimensions)
        if let known = series[labels] { return known }
        guard series.count >= metric.seriesLimit else { return insert(labels) }
        let overflow = Exposition.labels(dimensions.map { ($0.0, Metric.overflow) })
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

    mutating func forget(_ forgotten: AnyObject) {
        if let labels = series.first(where: { $0.value === forgotten })?.key { series[labels] = nil }
    }

    func write(to text: inout Exposition) {
        text.begin(metric)
        for (labels, series) in series.sorted(by: { $0.key < $1.key }) {
            series.write(metric.name, labels, to: &text)
        }
    }
}
