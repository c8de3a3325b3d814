internal import Documents

extension AnalysisMetric {
    /// Reports texts with wrong placeholders, and those without arguments that mean nothing.
    func checkTexts(_ reading: Members) {
        for text in MetricText.all {
            guard let value = text.get(self) else { continue }
            let pointer = text.path.reduce(reading.pointer) { $0.appending($1) }
            do throws(TextTemplate.Problem) {
                let template = try TextTemplate(value)
                if template.hasTime && !text.hasTime {
                    throw TextTemplate.Problem(text: "only {{args.name}} may stand here, no time")
                }
                // A condition with arguments is none before they are known; a query can be looked at.
                guard template.arguments.isEmpty || text.hasTime else { continue }
                if let problem = text.problem(value, self) { throw TextTemplate.Problem(text: problem) }
            } catch {
                reading.log.report(pointer, .invalidFormat, error.text)
            }
        }
    }

    /// The arguments that its texts name, with where they do.
    var argumentUses: [(path: [String], argument: String)] {
        MetricText.all.flatMap { text in
            let template = text.get(self).flatMap { try? TextTemplate($0) }
            return (template?.arguments.sorted() ?? []).map { (text.path, $0) }
        }
    }

    /// The metric with arguments in their places.
    ///
    /// - Parameter report: takes an argument that a text does not go with, and why.
    func resolved(with values: [String: String], report: (String, String) -> Void) -> AnalysisMetric {
        var metric = self
        for text in MetricText.all {
            guard let value = text.get(self), let template = try? TextTemplate(value),
                let argument = template.arguments.min()
            else { continue }
            let place = text.path.joined(separator: ".")
            do throws(TextTemplate.Problem) {
                let resolved = try text.insert(template, values)
                if let problem = text.problem(resolved, self) { throw TextTemplate.Problem(text: problem) }
                text.set(&metric, resolved)
            } catch {
                report(argument, "metric \"\(name)\", \(place): \(error.text)")
            }
        }
        if metric.thresholdRange != thresholdRange, let problem = metric.thresholdRange?.orderProblem {
            let argument = argumentUses.first { $0.path.first == "thresholdRange" }?.argument
            report(argument ?? "", "metric \"\(name)\", thresholdRange.min: \(problem)")
        }
        return metric
    }
}
