package import Documents

/// A gate of a plan that people open: `approval` of a step.
///
/// Votes are given by `approve` and `reject`, one a person, and belong to this visit of the step: whoever takes the plan back and comes
/// again asks again.
package struct ApprovalStep: Document {
    /// For people; 1 to 100 bytes.
    package var name = "approval"
    /// How many people must agree; `1...20`, default 1. One who rejects is enough to end it.
    package var requiredApprovals = 1
    /// Groups or roles of which a voter must have one; at most 16. Empty: whoever may approve at all.
    package var roles: [String] = []
    /// Whether the author of the release, who started it and who edited its steps have no vote. Default `false`.
    package var excludesCreator = false
    /// How long it waits; `1s...168h`. Pauses do not count. `nil`: for ever.
    package var timeout: Duration?
    /// The action that follows when nobody decided in time; `nil`: that of a failed step.
    package var onTimeout: ReleaseSpec.FailureAction?

    package init() {}

    package static let schemaName: String? = "ApprovalStep"
    package static let fields: [Field<Self>] = [
        .defaulted("name", \.name, .string(atMost: 100), "For people: whose approval it is."),
        .defaulted(
            "requiredApprovals", \.requiredApprovals, .integer(1...20), "How many people must agree."),
        .defaulted(
            "roles", \.roles, .list(of: role, 0...16, .ofElements("is given twice")),
            "Groups of API keys, or roles, of which a voter must have one. Default: whoever may approve."),
        .defaulted(
            "excludeCreator", \.excludesCreator, .bool,
            "Whether the author of the release, who started it and who edited its steps have no vote."),
        .optional(
            "timeout", \.timeout, .duration(.seconds(1)...ReleaseStep.maxDuration),
            "How long it waits, pauses not counted. Left out: for ever."),
        .optional(
            "onTimeout", \.onTimeout, .choice, "What follows then. Left out: failurePolicy.onFailed."),
    ]

    private static let role = Shape<String>.string(atMost: 100).examples("sre", "meshAdmin")

    package func finish(_ reading: Members) {
        guard onTimeout != nil, timeout == nil, !reading.isWrong else { return }
        reading.report("onTimeout", .conflict, "needs a timeout")
    }
}
