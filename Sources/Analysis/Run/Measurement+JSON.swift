package import Documents
internal import MeshCore

extension Measurement {
    /// Reads what ``json`` wrote. What does not look like it is left out.
    ///
    /// - Returns: `nil` without number, window, phase or time.
    package init?(_ document: JSONValue) {
        let time = { (name: String) in document[name]?.stringValue.flatMap(Timestamp.init(text:)) }
        guard let k = document["k"]?.integerValue, (0...Int64(Int32.max)).contains(k), let from = time("from"),
            let to = time("to"), let at = time("at"),
            let phase = document["phase"]?.stringValue.flatMap(AnalysisPhase.init(rawValue:))
        else { return nil }
        self.init(
            k: Int(k), from: from, to: to, MeasurementOutcome(phase, document["message"]?.stringValue ?? ""),
            reason: document["reason"]?.stringValue.flatMap(Reason.init(rawValue:)),
            value: document["value"]?.finiteNumber,
            samples: (document["samples"]?.integerValue).flatMap { Int(exactly: max(0, $0)) },
            baselineValue: document["baselineValue"]?.finiteNumber,
            coverage: min(1, max(0, document["coverage"]?.finiteNumber ?? 1)), inputs: document["inputs"] ?? [:],
            math: document["math"].flatMap(JudgeResult.init), at: at)
    }

    package var json: JSONValue {
        .fields([
            "k": .integer(Int64(k)), "from": .string(from.text), "to": .string(to.text),
            "phase": .string(phase.rawValue), "reason": reason.map { .string($0.rawValue) },
            "value": JSONValue.finite(value) ?? .null, "samples": samples.map { .integer(Int64($0)) },
            "baselineValue": .finite(baselineValue), "coverage": .finite(coverage), "inputs": inputs,
            "math": math?.json, "message": .string(message), "at": .string(at.text),
        ])
    }
}

extension JSONValue {
    /// A number as JSON has it; `nil` for what JSON has no number for.
    static func finite(_ number: Double?) -> JSONValue? {
        guard let number, number.isFinite else { return Optional.none }
        return JSONValue.number(whole: number)
    }

    /// A number of either kind; `nil` for anything else.
    var finiteNumber: Double? {
        switch self {
        case .integer(let number): Double(number)
        case .number(let number) where number.isFinite: number
        default: nil
        }
    }
}
