package import Documents

/// Metrics by which a version is judged while it takes traffic, with arguments for what differs from release to release.
package struct AnalysisTemplateSpec: Document {
    /// At most 32; names are unique.
    package var args: [AnalysisArgument] = []
    /// At least one, at most 20; names are unique.
    package var metrics: [AnalysisMetric] = []
    package var scoring = Scoring()

    package init() {}

    package static let fields: [Field<Self>] = [
        .defaulted(
            "args", \.args,
            .list(of: .document, 0...32, Uniqueness({ $0.name }, at: ["name"], "names of arguments must be unique")),
            "What `{{args.name}}` stands for."),
        .required(
            "metrics", \.metrics,
            .list(of: .document, 1...20, Uniqueness({ $0.name }, at: ["name"], "names of metrics must be unique")),
            "What is measured. The worst one decides."),
        .defaulted(
            "scoring", \.scoring, .documentUnlessEmpty, isWritten: false,
            "How the judgements of metrics with a judge become one score."),
    ]
    package static let summary: String? = """
        Metrics by which a version is judged while it takes traffic. Releases name templates in their analysis steps and copy them at \
        their start.
        """

    package func finish(_ reading: Members) {
        if !reading.has("args") || reading.isRead("args") { checkArguments(reading) }
        if reading.isRead("metrics") { checkGroups(reading) }
    }

    /// Reports arguments that are used and not declared.
    private func checkArguments(_ reading: Members) {
        // An index is the metric's place only if all of them could be read.
        guard !reading.isWrong else { return }
        let names = args.map(\.name)
        for (index, metric) in metrics.enumerated() {
            for (path, argument) in metric.argumentUses where !names.contains(argument) {
                let place = reading.place("metrics").pointer.appending(index)
                reading.log.report(
                    path.reduce(place) { $0.appending($1) }, .unknownReference,
                    "there is no argument \"\(argument)\" in args", choices: names)
            }
        }
    }

    /// Reports weights of groups that no metric is in, and weights that do not come to 100 although all groups have one.
    private func checkGroups(_ reading: Members) {
        let groups = Set(metrics.flatMap(\.groups))
        let weights = reading.place("scoring").pointer.appending("groupWeights")
        for name in scoring.groupWeights.keys.sorted() where !groups.contains(name) && !reading.isWrong {
            reading.log.report(
                weights.appending(name), .unknownReference, "no metric is in this group", choices: groups.sorted())
        }
        let hasFree = metrics.contains { $0.judge != nil && $0.groups.isEmpty }
        let sum = scoring.groupWeights.values.reduce(0, +)
        if !groups.isEmpty, !hasFree, groups.allSatisfy({ scoring.groupWeights[$0] != nil }), sum < 100 - 1e-9 {
            reading.log.report(weights, .outOfRange, "must come to 100 where all groups have a weight")
        }
    }
}

extension AnalysisTemplateSpec {
    /// The template with all arguments in their places: the form in which a release copies it.
    ///
    /// ``args`` keep the values that were used.
    ///
    /// - Parameters:
    ///   - values: by names of arguments.
    ///   - pointer: where they stand in the request. What is wrong is reported at the argument.
    /// - Returns: `nil` if anything was reported.
    package func resolved(
        with values: [String: String], at pointer: JSONPointer, log: ViolationLog
    ) -> AnalysisTemplateSpec? {
        let before = log.count
        var resolved = self
        let names = args.map(\.name)
        for name in values.keys.sorted() where !names.contains(name) {
            log.report(
                pointer.appending(name), .unknownField, "is no argument of the template", choices: names)
        }
        for (index, argument) in args.enumerated() {
            guard let value = values[argument.name] ?? argument.value else {
                log.report(pointer.appending(argument.name), .required, "is required: the template has no value for it")
                continue
            }
            if value.utf8.count > AnalysisArgument.maxValueLength {
                log.report(
                    pointer.appending(argument.name), .tooLong,
                    "must be at most \(AnalysisArgument.maxValueLength) bytes long")
            }
            resolved.args[index].value = value
        }
        guard log.count == before else { return nil }
        let known = Dictionary(resolved.args.map { ($0.name, $0.value ?? "") }, uniquingKeysWith: { first, _ in first })
        resolved.metrics = metrics.map { metric in
            metric.resolved(with: known) { argument, problem in
                log.report(pointer.appending(argument), .invalidValue, problem)
            }
        }
        return log.count == before ? resolved : nil
    }
}
