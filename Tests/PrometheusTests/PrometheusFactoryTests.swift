import CoreMetrics
import Logging
import Synchronization
import Testing

@testable import Prometheus

@Suite("Metrics in Prometheus' text format")
struct PrometheusFactoryTests {
    private let factory: PrometheusFactory
    private let warnings = Warnings()

    init() {
        factory = PrometheusFactory(
            logger: Logger(label: "test") { [warnings] _ in WarningHandler(warnings: warnings) })
    }

    private var lines: [String] { factory.text().split(separator: "\n").map(String.init) }

    @Test("A counter has its help, its type and a line for each set of labels, sorted")
    func counter() {
        let metric = Metric.counter("a_total", "What is counted.", labels: ["x", "y"])
        for values in [["2", "b"], ["1", "b"], ["1", "a"], ["2", "b"]] {
            metric.makeCounter(values, in: factory).increment(by: 2)
        }
        #expect(
            lines == [
                "# HELP a_total What is counted.", "# TYPE a_total counter", #"a_total{x="1",y="a"} 2"#,
                #"a_total{x="1",y="b"} 2"#, #"a_total{x="2",y="b"} 4"#,
            ])
    }

    @Test("What is declared is written before anything of it was counted, and keeps its first declaration")
    func declared() {
        for help in ["One.", "Two."] { Metric.gauge("a", help).declare(in: factory) }
        #expect(lines == ["# HELP a One.", "# TYPE a gauge"])
    }

    @Test("A timer is a histogram in seconds, whose buckets hold those below them")
    func timer() {
        let metric = Metric.histogram("t_seconds", "Time.", bounds: [0.001, 0.25, 5], labels: ["x"])
        let timer = metric.makeTimer(["a"], in: factory)
        for microseconds in [1_000, 1_001, 250_000, 5_000_001, -1] { timer.recordMicroseconds(microseconds) }
        #expect(
            lines.dropFirst(2).elementsEqual([
                #"t_seconds_bucket{x="a",le="0.001"} 2"#, #"t_seconds_bucket{x="a",le="0.25"} 4"#,
                #"t_seconds_bucket{x="a",le="5"} 4"#, #"t_seconds_bucket{x="a",le="+Inf"} 5"#,
                #"t_seconds_sum{x="a"} 5.252002"#, #"t_seconds_count{x="a"} 5"#,
            ]))
    }

    @Test("What is only known when somebody looks is set then, each time")
    func scrape() {
        let meter = Metric.gauge("a", "A.").makeMeter(in: factory)
        factory.onScrape { meter.increment(by: 7.0) }
        #expect(lines.last == "a 7")
        factory.onScrape { meter.increment(by: 0.5) }
        #expect(lines.last == "a 14.5")
    }

    @Test("No more series than a metric may have; the rest is counted together")
    func bounded() {
        let metric = Metric.counter("a_total", "A.", labels: ["x", "y"], seriesLimit: 2)
        for number in 1...5 { metric.makeCounter(["\(number)", "b"], in: factory).increment() }
        metric.makeCounter(["1", "b"], in: factory).increment()
        #expect(
            lines.dropFirst(2).elementsEqual([
                #"a_total{x="1",y="b"} 2"#, #"a_total{x="2",y="b"} 1"#, #"a_total{x="other",y="other"} 3"#,
            ]))
    }

    @Test("Gauges beyond that are not kept, for they have no sum")
    func boundedGauges() {
        let metric = Metric.gauge("a", "A.", labels: ["x"], seriesLimit: 1)
        for number in 1...3 { metric.makeMeter(["\(number)"], in: factory).set(number) }
        #expect(lines.dropFirst(2).elementsEqual([#"a{x="1"} 1"#]))
        #expect(warnings.count == 0)
    }

    @Test("Names and values of libraries are made what Prometheus can read")
    func foreign() {
        Counter(label: "http.requests", dimensions: [("error.type", "a\"b\\c\nd")], factory: factory).increment()
        Timer(label: "9-time", factory: factory).recordSeconds(1)
        Gauge(label: "g", factory: factory).record(0.5)
        Recorder(label: "sizes", factory: factory).record(11)
        #expect(
            lines == [
                "# TYPE _9_time histogram", #"_9_time_bucket{le="+Inf"} 1"#, "_9_time_sum 1", "_9_time_count 1",
                "# TYPE g gauge", "g 0.5", "# TYPE http_requests counter",
                #"http_requests{error_type="a\"b\\c\nd"} 1"#, "# TYPE sizes histogram", #"sizes_bucket{le="+Inf"} 1"#,
                "sizes_sum 11", "sizes_count 1",
            ])
    }

    @Test("A library's labels are one series in any order, and no name is in it twice")
    func foreignLabels() {
        for dimensions in [
            [("b", "2"), ("a.b", "1")], [("a_b", "1"), ("b", "2")], [("a.b", "1"), ("a_b", "3"), ("b", "2")],
        ] { Counter(label: "c", dimensions: dimensions, factory: factory).increment() }
        #expect(lines == ["# TYPE c counter", #"c{a_b="1",b="2"} 3"#])
    }

    @Test("A name that another metric has is lost, ends nothing, and is told once")
    func clash() {
        Metric.gauge("a", "A.").makeMeter(in: factory).set(1)
        Metric.counter("a", "A counter.").makeCounter(in: factory).increment()
        Recorder(label: "a", factory: factory).record(5)
        Meter(label: "a", dimensions: [("x", "1")], factory: factory).set(2)
        #expect(lines == ["# HELP a A.", "# TYPE a gauge", "a 1"])
        #expect(warnings.count == 1)
    }

    @Test("A handle that its metric does not have is a mistake in the program")
    func wrongHandle() async {
        await #expect(processExitsWith: .failure) {
            _ = Metric.counter("a_total", "A.").makeTimer(in: NOOPMetricsHandler.instance)
        }
    }

    @Test(
        "Numbers", arguments: [(1.0, "1"), (0.0025, "0.0025"), (-.infinity, "-Inf"), (.nan, "NaN"), (1e300, "1e+300")])
    func numbers(_ number: Double, _ text: String) {
        #expect(Exposition.number(number) == text)
    }

    @Test("Counting from many tasks loses nothing")
    func concurrent() async {
        let counter = Metric.counter("a_total", "A.").makeCounter(in: factory)
        let timer = Metric.histogram("t_seconds", "T.", bounds: [1]).makeTimer(in: factory)
        await withTaskGroup { group in
            for _ in 0..<8 {
                group.addTask {
                    for _ in 0..<1_000 {
                        counter.increment()
                        timer.recordNanoseconds(1)
                    }
                }
            }
        }
        #expect(lines.contains("a_total 8000") && lines.contains("t_seconds_count 8000"))
    }
}

/// Counts what is logged.
private final class Warnings: Sendable {
    private let logged = Mutex(0)
    var count: Int { logged.withLock { $0 } }

    func add() { logged.withLock { $0 += 1 } }
}

private struct WarningHandler: LogHandler {
    let warnings: Warnings
    var metadata: Logger.Metadata = [:]
    var logLevel = Logger.Level.trace

    subscript(metadataKey key: String) -> Logger.MetadataValue? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) { warnings.add() }
}
