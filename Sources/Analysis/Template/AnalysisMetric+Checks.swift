internal import Documents

extension AnalysisMetric {
    /// Reports members that mean nothing to the source, and what it lacks.
    func checkSource(_ reading: Members) {
        guard !reading.has("judge") || !reading.has("provider") else { return }
        if reading.isRead("judge") {
            if !reading.has("series") { reading.report("series", .required, "is required by judge") }
            refuse(
                ["successCondition", "failureCondition", "thresholdRange"],
                "a judge decides itself; its direction, tolerance and effectSize say how", reading)
            refuse(["minSamples"], "the fewest points stand in judge", reading)
        } else if reading.isRead("provider") {
            refuse(["series", "groups"], "means something to a judge only", reading)
            guard builtin == nil else { return }
            refuse(["minSamples", "maxWindow"], "an outside provider does not say how many requests it saw", reading)
            refuse(["sources", "baseline"], "the query of an outside provider says itself what it is about", reading)
        }
    }

    private func refuse(_ names: [String], _ why: String, _ reading: Members) {
        for name in names where reading.has(name) { reading.report(name, .conflict, why) }
    }

    func checkConditions(_ reading: Members) {
        guard reading.isRead("provider"), !reading.has("judge") else { return }
        let conditions = ["successCondition", "failureCondition"].filter(reading.has)
        if reading.has("thresholdRange") {
            for name in conditions { reading.report(name, .conflict, "is given besides thresholdRange") }
        } else if conditions.isEmpty {
            reading.log.report(
                reading.pointer, .required, "must have successCondition, failureCondition or thresholdRange",
                choices: ["successCondition", "failureCondition", "thresholdRange"])
        }
    }

    func checkCounting(_ reading: Members) {
        guard let count, let consecutiveSuccessLimit, consecutiveSuccessLimit > count else { return }
        reading.report(
            "consecutiveSuccessLimit", .conflict, "can never be reached: there are only \(count) measurements (count)")
    }

    /// Rounds the interval, and reports windows that are never long enough.
    mutating func checkWindow(_ reading: Members) {
        if reading.isRead("interval"), builtin != nil {
            let slot = BuiltinMetric.slot
            if interval < slot {
                reading.report(
                    "interval", .outOfRange, "must be at least \(slot.text): such figures come every \(slot.text)")
            } else {
                let whole = slot * Int(interval.milliseconds / slot.milliseconds)
                interval = whole < interval ? whole + slot : whole
            }
        }
        if reading.isRead("maxWindow"), let maxWindow, maxWindow < interval {
            reading.report("maxWindow", .conflict, "must not be shorter than the interval, which is \(interval.text)")
        }
        if reading.isRead("judge"), let judge {
            let needed = BuiltinMetric.slot * judge.minSamples
            guard longestWindow < needed else { return }
            reading.report(
                reading.isRead("maxWindow") ? "maxWindow" : "judge", .conflict,
                "\(judge.minSamples) points take \(needed.text), and a window is at most \(longestWindow.text)")
        }
    }

    /// Warns of too few requests for the threshold.
    func warnOfChance(_ reading: Members) {
        guard reading.isRead("minSamples"), let minSamples, let share = falseAlarmShare else { return }
        var whole = self
        whole.minSamples = nil
        reading.log.warn(
            reading.place("minSamples").pointer, .consequence,
            """
            with \(minSamples) requests chance alone keeps a version from passing in \(DecimalText.percent(share)) of the windows, \
            although it is bad half as often as is allowed; \(whole.samplesNeeded) are enough
            """)
    }
}
