internal import Analysis
internal import Documents
internal import Egress
internal import FaultPoints
internal import GrayRelease
internal import MeshCore
internal import MeshModel
internal import MeshStore

/// The calls that steps of releases wait for, made beside the driver like measurements: who does not answer delays nobody else.
extension ControlPlane {
    /// Calls of one tenant that one replica has under way at a time; more wait for their turn.
    private static let callsPerTenant = 16

    /// Makes the call of a run that is due, and writes what came of it. Killed in between, it is made again, under the same id.
    ///
    /// - Returns: whether the release goes by something new.
    func call(_ claim: ClaimedRun, of release: StoredRelease) async throws -> Bool {
        guard var run = WebhookRun(claim.document) else {
            throw ControlError.fault("the call \(claim.run.id) of \(claim.release.object.key) cannot be read")
        }
        guard release.status.analysis.ids.contains(run.id), release.status.phase.isActive else {
            run.cancel(now: claim.now)
            return try await store.commit(run.json, of: claim, nextDue: nil, wakes: false)
        }
        guard let due = run.due, due <= claim.now else {
            return try await store.commit(claim.document, of: claim, nextDue: run.due, wakes: false)
        }
        let before = (run.phase, run.message)
        let start = ContinuousClock.now
        let outcome = try await outcome(of: run, release, at: claim.now)
        FaultPoint.webhookSent.reach()
        run.take(outcome, now: claim.now + (ContinuousClock.now - start))
        let isNew = before != (run.phase, run.message)
        return try await store.commit(run.json, of: claim, nextDue: run.due, wakes: isNew) && isNew
    }

    private func outcome(
        of run: WebhookRun, _ release: StoredRelease, at now: Timestamp
    ) async throws -> WebhookRun.Outcome {
        guard let egress else { return .noAnswer("this server calls nobody") }
        var signature: WebhookSecret?
        if let reference = run.call.secret {
            do {
                signature = WebhookSecret(try await secret(reference, of: release.key).reveal())
            } catch let missing as MissingSecret {
                return .noAnswer(missing.reason)
            }
        }
        let codes = run.call.successCodes
        let call = WebhookCall(
            url: run.call.url, body: WebhookCall.text(of: run.body), id: "\(release.object.uid)/\(run.id)",
            secret: signature,
            timeout: run.call.timeout, successCodes: codes.isEmpty ? [200...299] : codes.map { $0...$0 },
            bounds: [EgressBound("webhooks of one tenant (\(release.mesh.tenant))", Self.callsPerTenant)])
        switch await egress.post(call, at: now.microseconds / 1_000_000) {
        case .answered(let answer):
            return .answered(answer.code, body: answer.text, after: answer.time, retryAfter: answer.retryAfter)
        case .noAnswer(let reason): return .noAnswer(reason)
        }
    }
}
