package import Documents

/// A verb that a person can ask of a release: `POST …/releases/{r}:verb`.
package enum ReleaseVerb: Hashable, Sendable {
    package enum Name: String, CaseIterable, Sendable {
        case start, pause, resume, promote, rollback, abort, retry, retryAnalysis, skip, goto, approve, reject
    }

    package enum Destination: String, CaseIterable, Sendable {
        /// Ends the baking or waiting of the current step.
        case next
        /// Leaves the remaining steps out. The endpoint guard and the barrier still hold.
        case full
    }

    /// A reason to go on where others would have to decide, or nobody is to.
    package struct Override: Hashable, Sendable {
        /// Go on in spite of the freeze windows that are in force.
        package var freezes: Bool
        /// For people; needed where something is overridden.
        package var reason: String?

        package init(freezes: Bool = false, reason: String? = nil) {
            self.freezes = freezes
            self.reason = reason
        }

        package static let none = Override()
    }

    /// - force: go on although the stable version cannot carry what all versions get now.
    case start(force: Bool, Override = .none)
    case pause(reason: String?)
    case resume
    /// - expectedStep: refused unless it is the current step, so that a double click cannot skip two.
    case promote(to: Destination, expectedStep: Int?, Override = .none)
    /// - force: go back although the stable version is unhealthy.
    case rollback(reason: String?, force: Bool)
    case abort(revertTraffic: Bool)
    /// Starts a release again that ended without success.
    ///
    /// - force: as of ``start(force:)``.
    case retry(force: Bool)
    /// Measures again, by the newest templates.
    case retryAnalysis
    /// Leaves the current step out: what it waits for, or, before it is in force, its traffic.
    case skip(expectedStep: Int, Override = .none)
    /// Takes another step, backward too; the traffic becomes the sum of the steps through it.
    case goto(step: Int, expectedStep: Int, Override = .none)
    /// Votes for the plan to go on.
    case approve(expectedStep: Int?, comment: String?)
    /// Votes against it, which is enough.
    case reject(expectedStep: Int?, comment: String?)

    package var name: Name {
        switch self {
        case .start: .start
        case .pause: .pause
        case .resume: .resume
        case .promote: .promote
        case .rollback: .rollback
        case .abort: .abort
        case .retry: .retry
        case .retryAnalysis: .retryAnalysis
        case .skip: .skip
        case .goto: .goto
        case .approve: .approve
        case .reject: .reject
        }
    }

    /// The obstacles that it overrides.
    package var override: Override {
        switch self {
        case .start(_, let override), .promote(_, _, let override), .skip(_, let override), .goto(_, _, let override):
            override
        default: .none
        }
    }

    /// Reads the verb's body.
    ///
    /// - start: `{"force", "overrideFreeze", "reason"}`
    /// - retry: `{"force"}`
    /// - resume, retryAnalysis: `{}`
    /// - pause: `{"reason"}`
    /// - promote: `{"to": "next" | "full", "expectedStep", "overrideFreeze", "reason"}`, by default `next`
    /// - rollback: `{"reason", "force"}`
    /// - abort: `{"revertTraffic"}`, by default `true`
    /// - skip: `{"expectedStep", "overrideFreeze", "reason"}`, the first required
    /// - goto: `{"step", "expectedStep", "overrideFreeze", "reason"}`, the first two required
    /// - approve, reject: `{"expectedStep", "comment"}`
    ///
    /// - Returns: a verb even if violations were reported; whoever reads must look at the log.
    package init(_ name: Name, reading fields: inout FieldReader) {
        switch name {
        case .start:
            self = .start(force: fields.read("force", .bool) ?? false, Override(reading: &fields))
        case .resume: self = .resume
        case .retryAnalysis: self = .retryAnalysis
        case .retry: self = .retry(force: fields.read("force", .bool) ?? false)
        case .pause: self = .pause(reason: fields.read("reason", .string(atMost: 500)))
        case .promote:
            let step = fields.read("expectedStep", .integer(0...ReleasePlan.maxSteps))
            self = .promote(
                to: fields.read("to", .choice) ?? .next, expectedStep: step, Override(reading: &fields))
        case .rollback:
            self = .rollback(
                reason: fields.read("reason", .string(atMost: 500)), force: fields.read("force", .bool) ?? false)
        case .skip:
            let step = fields.read("expectedStep", .integer(0...ReleasePlan.maxSteps), required: true)
            self = .skip(expectedStep: step ?? 0, Override(reading: &fields))
        case .goto:
            let step = fields.read("step", .integer(0...ReleasePlan.maxSteps - 1), required: true)
            let expected = fields.read("expectedStep", .integer(0...ReleasePlan.maxSteps), required: true)
            self = .goto(step: step ?? 0, expectedStep: expected ?? 0, Override(reading: &fields))
        case .approve, .reject:
            let step = fields.read("expectedStep", .integer(0...ReleasePlan.maxSteps))
            let comment = fields.read("comment", .string(atMost: 500))
            self =
                name == .approve
                ? .approve(expectedStep: step, comment: comment) : .reject(expectedStep: step, comment: comment)
        case .abort: self = .abort(revertTraffic: fields.read("revertTraffic", .bool) ?? true)
        }
        fields.finish()
    }
}

extension ReleaseVerb.Override {
    fileprivate init(reading fields: inout FieldReader) {
        freezes = fields.read("overrideFreeze", .bool) ?? false
        reason = fields.read("reason", .string(atMost: 500))
        if freezes, reason == nil {
            fields.log.report(
                fields.pointer.appending("reason"), .required, "must say why the freeze windows are overridden")
        }
    }
}

/// Why a verb was not carried out. Nothing was changed.
package struct VerbRefusal: Error, Hashable, Sendable {
    package enum Code: String, Sendable {
        /// The phase does not have this verb.
        case illegalPhase
        /// `expectedStep` is not the current step.
        case stepMismatch
        /// The verb fits the phase, but something it needs is not so.
        case precondition
        /// Others have to approve before.
        case approvalRequired
        /// The gate does not know the person, or does not ask the person, or has been answered by the person.
        case notApprover
        /// A freeze window is in force.
        case frozen
        /// Another release of the service has succeeded since.
        case notLatest
        case unsupported
    }

    package var code: Code
    /// A sentence for people.
    package var detail: String
    package var phase: ReleaseStatus.Phase
    package var currentStep: Int?
    package var allowedActions: [ReleaseVerb.Name]
}
