/// Prometheus' text format, as it is written.
///
/// Source: "Exposition formats", https://prometheus.io/docs/instrumenting/exposition_formats/.
package struct Exposition: Sendable {
    /// The media type.
    package static let type = "text/plain; version=0.0.4; charset=utf-8"

    /// The text so far.
    package private(set) var text = ""

    package init() {}

    /// Writes what a metric is; its samples follow.
    package mutating func begin(_ metric: Metric) {
        if let help = metric.help {
            text += "# HELP \(metric.name) "
            text += help.replacing("\\", with: "\\\\").replacing("\n", with: "\\n")
            text += "\n"
        }
        text += "# TYPE \(metric.name) \(metric.kind.type)\n"
    }

    /// Writes samples of a metric that somebody else keeps, sorted by their labels. Whoever keeps them bounds how many there are: the
    /// metric's own limit is for handles.
    ///
    /// - Parameter samples: each with the values of the metric's labels, in their order.
    package mutating func write(_ metric: Metric, _ samples: [(values: [String], count: UInt64)]) {
        begin(metric)
        let lines = samples.map { (labels: Self.labels(metric.dimensions($0.values)), count: $0.count) }
        for line in lines.sorted(by: { $0.labels < $1.labels }) { sample(metric.name, line.labels, "\(line.count)") }
    }

    mutating func sample(_ name: String, _ labels: String, _ value: String) {
        text += labels.isEmpty ? "\(name) \(value)\n" : "\(name){\(labels)} \(value)\n"
    }
}

extension Exposition {
    static func labels(_ dimensions: [(String, String)]) -> String {
        dimensions.map { "\($0.0)=\"\(escaped($0.1))\"" }.joined(separator: ",")
    }

    private static func escaped(_ value: String) -> String {
        guard value.utf8.contains(where: { [0x5C, 0x22, 0x0A].contains($0) }) else { return value }
        return value.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"").replacing("\n", with: "\\n")
    }

    /// A name that Prometheus takes: anything but ASCII letters, digits and `_` becomes `_`.
    static func name(_ text: String) -> String {
        let name = String(
            decoding: text.utf8.map { byte in
                switch byte {
                case 0x30...0x39, 0x41...0x5A, 0x5F, 0x61...0x7A: byte
                default: 0x5F
                }
            }, as: UTF8.self)
        return name.first?.isNumber ?? true ? "_" + name : name
    }

    /// Whole numbers without a fraction, as people read them.
    static func number(_ value: Double) -> String {
        if value.isInfinite { return value > 0 ? "+Inf" : "-Inf" }
        return Int64(exactly: value).map(String.init) ?? (value.isNaN ? "NaN" : "\(value)")
    }
}
