import Documents
import MeshCore

/// The steps of a release: read from a document, or made up for the short form.
package enum ReleasePlan {
    package static let maxSteps = 100

    /// Reads `steps`, or where it is left out makes the plan of the release's type.
    static func read(_ fields: inout FieldReader, type: ReleaseStrategy.Kind?) -> [ReleaseStep] {
        let matches = shortMatch(&fields, type: type)
        guard fields.has("steps") else {
            _ = fields.value("steps")
            guard let type else { return [] }
            if type == .abTest && !fields.has("match") {
                fields.log.report(
                    fields.pointer.appending("match"), .required, "an abTest without steps must say for which requests")
            }
            return standard(type, matches: matches)
        }
        if fields.has("match") {
            fields.log.report(
                fields.pointer.appending("match"), .conflict, "belongs to the form without steps; use a setMatch step")
        }
        let steps = fields.objects("steps", required: true, atMost: maxSteps).compactMap { item in
            var item = item
            return ReleaseStep(reading: &item)
        }
        check(steps, type: type, fields)
        return steps
    }

    /// `strategy.match` of the short form.
    private static func shortMatch(_ fields: inout FieldReader, type: ReleaseStrategy.Kind?) -> [ContentMatch] {
        guard var nested = fields.object("match") else { return [] }
        let matches = ReleaseStep.matches(&nested) ?? []
        if nested.has("any") && matches.isEmpty {
            nested.log.report(nested.pointer.appending("any"), .required, "must not be empty")
        }
        if let type, type != .abTest {
            fields.log.report(fields.pointer.appending("match"), .conflict, "belongs to the type abTest only")
        }
        return matches
    }

    /// What a type promises must be in its steps.
    private static func check(_ steps: [ReleaseStep], type: ReleaseStrategy.Kind?, _ fields: FieldReader) {
        let isKept =
            switch type {
            case .abTest: steps.contains { $0.kind == "setMatch" }
            case .mirror: steps.contains { $0.kind == "setMirror" }
            default: true
            }
        if !isKept && !steps.isEmpty {
            fields.log.report(
                fields.pointer.appending("steps"), .invalidValue,
                type == .abTest ? "an abTest must have a setMatch step" : "a mirror must have a setMirror step")
        }
    }

    /// The plan of the short form.
    ///
    /// - canary: 5 % for 5 minutes, 25 % and 50 % for 10 minutes each, all for 15 minutes.
    /// - abTest: the matching requests, until somebody promotes; then all for 5 minutes.
    /// - blueGreen: nothing until somebody promotes; then all at once, watched for 5 minutes.
    /// - mirror: a copy of all GET and HEAD requests for 10 minutes and until somebody promotes; then all for 5 minutes.
    package static func standard(_ type: ReleaseStrategy.Kind, matches: [ContentMatch] = []) -> [ReleaseStep] {
        let all = ReleaseStep(.setWeight(.all), bakeTime: .seconds(300))
        let decision = ReleaseStep(.pause(nil), name: "decision")
        switch type {
        case .canary:
            return [(500, 300), (2500, 600), (5000, 600), (10_000, 900)].compactMap { points, seconds in
                TrafficShare(basisPoints: points).map {
                    ReleaseStep(.setWeight($0), bakeTime: .seconds(seconds as Int64))
                }
            }
        case .abTest: return [ReleaseStep(.setMatch(matches), name: "test"), decision, all]
        case .blueGreen: return [decision, all]
        case .mirror:
            let mirror = ReleaseTraffic.Mirror(share: .all, methods: ["GET", "HEAD"])
            return [
                ReleaseStep(.setMirror(mirror), bakeTime: .seconds(600), name: "shadow"), decision,
                ReleaseStep(.setMirror(nil)), all,
            ]
        }
    }
}
