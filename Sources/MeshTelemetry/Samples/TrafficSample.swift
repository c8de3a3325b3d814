internal import Analysis
internal import MeshCore

/// The count of the requests to one host in one slot.
package struct TrafficSample: Hashable, Sendable {
    package var series: [TrafficSeries: TrafficCounts] = [:]

    package init() {}

    package mutating func merge(_ other: TrafficSample) {
        for (key, counts) in other.series { series[key, default: TrafficCounts()].merge(counts) }
    }

    /// Everything together of the series that fit.
    package func sum(_ isCounted: (TrafficSeries) -> Bool) -> TrafficCounts {
        series.reduce(into: TrafficCounts()) { sum, entry in
            if isCounted(entry.key) { sum.merge(entry.value) }
        }
    }
}

/// The form in which samples are stored: a byte that says which form it is, then the series in order, each with its key and counts.
/// Numbers are varints of base 128 (Protocol Buffers, "Base 128 Varints"), texts and histograms stand behind their length.
extension TrafficSample {
    private static let form: UInt8 = 1

    package var bytes: [UInt8] {
        var writer = SampleWriter(Self.form)
        writer.append(UInt64(series.count))
        for (key, counts) in series.sorted(by: { $0.key < $1.key }) {
            writer.append(key)
            writer.append(counts)
        }
        return writer.bytes
    }

    /// Reads what ``bytes`` wrote.
    ///
    /// - Returns: `nil` for anything else, such as what a later server has written.
    package init?(bytes: [UInt8]) {
        var reader = SampleReader(bytes)
        guard reader.byte() == Self.form, let count = reader.number(atMost: UInt64(bytes.count)) else { return nil }
        for _ in 0..<count {
            guard let key = reader.series(), let counts = reader.counts() else { return nil }
            series[key, default: TrafficCounts()].merge(counts)
        }
        guard reader.isAtEnd else { return nil }
    }
}

private struct SampleWriter {
    private(set) var bytes: [UInt8]

    init(_ form: UInt8) { bytes = [form] }

    mutating func append(_ number: UInt64) {
        var rest = number
        while rest >= 0x80 {
            bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        bytes.append(UInt8(rest))
    }

    mutating func append(_ key: TrafficSeries) {
        append(UInt64(key.port))
        append(key.version?.text ?? "")
        append(key.source?.service.namespace.text ?? "")
        append(key.source?.service.name.text ?? "")
        append(key.source?.version?.text ?? "")
    }

    mutating func append(_ counts: TrafficCounts) {
        for codes in [counts.answers, counts.retried, counts.calls] {
            append(UInt64(codes.entries.count))
            for entry in codes.entries {
                append(UInt64(entry.code))
                append(entry.count)
            }
        }
        append(counts.receivedBytes)
        append(counts.sentBytes)
        let latency = counts.latency.bytes
        append(UInt64(latency.count))
        bytes += latency
    }

    private mutating func append(_ text: String) {
        append(UInt64(text.utf8.count))
        bytes += Array(text.utf8)
    }
}

private struct SampleReader {
    private var rest: ArraySlice<UInt8>

    init(_ bytes: [UInt8]) { rest = bytes[...] }

    var isAtEnd: Bool { rest.isEmpty }

    mutating func byte() -> UInt8? { rest.popFirst() }

    mutating func number(atMost limit: UInt64 = .max) -> UInt64? {
        var number: UInt64 = 0
        for shift in stride(from: 0, to: 64, by: 7) {
            guard let byte = rest.popFirst(), shift < 63 || byte <= 1 else { return nil }
            number |= UInt64(byte & 0x7F) << UInt64(shift)
            if byte < 0x80 { return number <= limit ? number : nil }
        }
        return nil
    }

    mutating func series() -> TrafficSeries? {
        guard let port = number(atMost: 65_535), port > 0, let version = text(), let namespace = text(),
            let service = text(), let sourceVersion = text()
        else { return nil }
        var key = TrafficSeries(port: Int(port), version: nil, source: nil)
        if !version.isEmpty {
            guard let version = Name(version) else { return nil }
            key.version = version
        }
        if !namespace.isEmpty || !service.isEmpty {
            guard let namespace = Name(namespace), let service = Name(service),
                sourceVersion.isEmpty || Name(sourceVersion) != nil
            else { return nil }
            key.source = TrafficSource(
                service: NamespacedName(namespace: namespace, name: service), version: Name(sourceVersion))
        }
        return key
    }

    mutating func counts() -> TrafficCounts? {
        var counts = TrafficCounts()
        guard let answers = codes(), let retried = codes(), let calls = codes(), let received = number(),
            let sent = number(), let length = number(atMost: UInt64(rest.count)),
            let latency = LatencyHistogram(bytes: Array(rest.prefix(Int(length))))
        else { return nil }
        rest = rest.dropFirst(Int(length))
        (counts.answers, counts.retried, counts.calls) = (answers, retried, calls)
        (counts.receivedBytes, counts.sentBytes, counts.latency) = (received, sent, latency)
        return counts
    }

    private mutating func codes() -> CodeCounts? {
        guard let count = number(atMost: UInt64(CodeCounts.maxCodes + 1)) else { return nil }
        var codes = CodeCounts()
        for _ in 0..<count {
            guard let code = number(atMost: 999), let count = number() else { return nil }
            codes.add(count, of: Int(code))
        }
        return codes
    }

    private mutating func text() -> String? {
        guard let length = number(atMost: min(255, UInt64(rest.count))) else { return nil }
        let bytes = rest.prefix(Int(length))
        rest = rest.dropFirst(Int(length))
        return String(validating: bytes, as: UTF8.self)
    }
}
