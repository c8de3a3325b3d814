internal import Parallel
internal import MeshCore
internal import MeshModel

/// One concern of compiling: what each subject of one sort comes to.
///
/// A pass asks through its view and has no other way to the mesh. It is total: what is wrong with an object becomes a diagnostic
/// while everything else goes on.
protocol Pass: SendableMetatype {
    associatedtype Subject: Hashable & Comparable & Sendable
    associatedtype Result: Hashable & Sendable

    /// - Returns: `nil`: nothing comes of the subject.
    static func run(_ subject: Subject, _ view: inout MeshView, _ diagnostics: inout [Diagnostic]) -> Result?
}

/// The results of a pass for all of its subjects, and the questions that it asked for each.
struct PassTable<P: Pass>: Sendable {
    /// By subject; without those of which nothing comes.
    private(set) var results: [P.Subject: P.Result] = [:]
    /// By subject, where there are any.
    private(set) var diagnostics: [P.Subject: [Diagnostic]] = [:]
    private var asked: [P.Subject: Set<Question>] = [:]
    private var askers: [Question: Set<P.Subject>] = [:]

    /// The subjects that have to be looked at.
    ///
    /// - Parameter found: those that there may be. One of which nothing came is not kept in mind, so it is found again whenever it
    ///   may have become something.
    func subjects(concernedBy touched: Set<Question>, found: some Sequence<P.Subject>) -> Set<P.Subject> {
        var subjects = Set(found.filter { asked[$0] == nil })
        for question in touched { subjects.formUnion(askers[question] ?? []) }
        return subjects
    }

    /// Takes over what somebody else has come to, who says nothing about it.
    mutating func take(_ others: [P.Subject: P.Result]) { results.merge(others) { own, _ in own } }

    /// Looks at some subjects.
    ///
    /// - Returns: those that come to something else, with what they came to before.
    mutating func run(_ subjects: Set<P.Subject>, in view: MeshView) -> [P.Subject: P.Result?] {
        // Each depends on the mesh and on earlier passes alone, not on what the others come to.
        let outcomes = Array(subjects).mapInParallel { subject in
            var view = view
            var diagnostics: [Diagnostic] = []
            let result = P.run(subject, &view, &diagnostics)
            return Outcome(subject: subject, result: result, diagnostics: diagnostics, asked: view.asked)
        }
        var changed: [P.Subject: P.Result?] = [:]
        for outcome in outcomes {
            let before = results[outcome.subject]
            if before != outcome.result {
                changed[outcome.subject] = .some(before)
                results[outcome.subject] = outcome.result
            }
            diagnostics[outcome.subject] = outcome.diagnostics.isEmpty ? nil : outcome.diagnostics
            record(outcome)
        }
        return changed
    }

    private struct Outcome {
        var subject: P.Subject
        var result: P.Result?
        var diagnostics: [Diagnostic]
        var asked: Set<Question>
    }

    private mutating func record(_ outcome: Outcome) {
        let subject = outcome.subject
        let isNothing = outcome.result == nil && outcome.diagnostics.isEmpty
        let (before, now) = (asked[subject] ?? [], isNothing ? [] : outcome.asked)
        guard before != now else { return }
        for question in before where !now.contains(question) {
            askers[question]?.remove(subject)
            if askers[question]?.isEmpty == true { askers[question] = nil }
        }
        for question in now where !before.contains(question) { askers[question, default: []].insert(subject) }
        asked[subject] = now.isEmpty ? nil : now
    }
}
