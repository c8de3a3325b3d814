package import Analysis
package import Documents
package import MeshCore

/// A change of a release's runs of analyses, committed with the decision that it is part of.
package enum AnalysisChange: Hashable, Sendable {
    /// Has a run begin, of the templates that the release copied for this.
    case begin(id: String, AnalysisRun.Kind, step: Int)
    case cancel(id: String)
}

/// The state of a run of an analysis, as far as decisions go by it.
package struct AnalysisObservation: Hashable, Sendable {
    package var phase: AnalysisPhase
    /// One line for people that names the metric; empty while nothing is wrong.
    package var message: String
    /// Since when there has been no answer; `nil`: there is.
    package var errorSince: Timestamp?
    /// The time from which on every metric has been measured (``AnalysisRun/measuredSince``).
    package var measuredSince: Timestamp?
    /// For people, what it waits for.
    package var shortages: [String]

    package init(
        _ phase: AnalysisPhase, message: String = "", errorSince: Timestamp? = nil, measuredSince: Timestamp? = nil,
        shortages: [String] = []
    ) {
        self.phase = phase
        self.message = message
        self.errorSince = errorSince
        self.measuredSince = measuredSince
        self.shortages = shortages
    }

    package init(_ run: AnalysisRun) {
        self.init(
            run.phase, message: run.message, errorSince: run.errorSince, measuredSince: run.measuredSince,
            shortages: run.shortages)
    }
}

/// The templates that a release has copied, with arguments in their places, for each of its analyses.
package struct AnalysisPlan: Hashable, Sendable {
    package typealias Templates = [(name: String, spec: AnalysisTemplateSpec)]

    /// A name with a template; in the order in which they are given.
    package struct Entry: Hashable, Sendable {
        package var name: String
        package var spec: AnalysisTemplateSpec

        package init(name: String, spec: AnalysisTemplateSpec) {
            self.name = name
            self.spec = spec
        }
    }

    package var steps: [Int: [Entry]] = [:]
    package var background: [Entry] = []
    package var postPromotion: [Entry] = []

    package init() {}

    package func templates(of kind: AnalysisRun.Kind, step: Int) -> Templates {
        let entries: [Entry] =
            switch kind {
            case .step: steps[step] ?? []
            case .background: background
            case .postPromotion: postPromotion
            case .webhook: []
            }
        return entries.map { ($0.name, $0.spec) }
    }

    /// Reads what ``json`` wrote. Templates of which one does not look like it are none: a run that leaves some of its metrics out must not
    /// succeed, and one without metrics does not.
    package init(_ document: JSONValue) {
        func entries(_ value: JSONValue?) -> [Entry] {
            let items = value?.arrayValue ?? []
            let entries: [Entry] = items.compactMap { item in
                guard let name = item["name"]?.stringValue,
                    let spec = item["spec"].flatMap({
                        AnalysisTemplateSpec.read($0, at: .root, log: ViolationLog(ofStored: true))
                    })
                else { return nil }
                return Entry(name: name, spec: spec)
            }
            return entries.count == items.count ? entries : []
        }
        for (key, value) in document["steps"]?.objectValue ?? [:] {
            if let index = Int(key) { steps[index] = entries(value) }
        }
        background = entries(document["background"])
        postPromotion = entries(document["postPromotion"])
    }

    package var json: JSONValue {
        func list(_ entries: [Entry]) -> JSONValue {
            .array(entries.map { ["name": .string($0.name), "spec": $0.spec.json] })
        }
        return [
            "steps": .object(Dictionary(uniqueKeysWithValues: steps.map { ("\($0.key)", list($0.value)) })),
            "background": list(background), "postPromotion": list(postPromotion),
        ]
    }
}
