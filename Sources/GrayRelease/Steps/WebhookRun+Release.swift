internal import Documents
package import MeshCore

extension WebhookRun {
    /// The call of a release's step, with the message that tells what the release is at.
    ///
    /// - Returns: `nil` if the step makes no call.
    package init?(
        id: String, of name: NamespacedName, _ spec: ReleaseSpec, _ status: ReleaseStatus, step: Int, at now: Timestamp
    ) {
        guard spec.strategy.steps.indices.contains(step), case .webhook(let call) = spec.strategy.steps[step].action
        else {
            return nil
        }
        let share = status.traffic.canaryShare
        self.init(
            id: id, call,
            body: [
                "release": .string(name.name.text), "namespace": .string(name.namespace.text),
                "service": .string(spec.service.text), "stable": .string(spec.stable.version.text),
                "canary": .string(spec.canary.version.text), "step": .integer(Int64(step)),
                "attempt": .integer(Int64(status.attempt)), "visit": .integer(Int64(status.visits)),
                "traffic": [
                    "canary": .integer(Int64(share.basisPoints)),
                    "stable": .integer(Int64(share.complement.basisPoints)),
                ], "args": .object(call.args.mapValues(JSONValue.string)),
            ], step: step, attempt: status.attempt, startedAt: now)
    }
}
