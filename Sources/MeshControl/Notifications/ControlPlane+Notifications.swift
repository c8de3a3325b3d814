internal import Documents
internal import Egress
internal import FaultPoints
internal import GrayRelease
internal import Logging
internal import MeshCore
internal import MeshModel
package import MeshStore

/// Use cases of those who deliver what releases tell. It is the replica itself and acts for all tenants, so no permission is checked.
extension ControlPlane {
    /// How long a message is sent again that is not taken.
    static let deliveryPatience = Duration.seconds(24 * 3_600)
    /// How long one call may take.
    private static let timeout = Duration.seconds(10)

    /// The number of messages that one replica delivers at a time.
    package static var deliveries: Int { Limits.deliveries.value }

    /// Takes channels to which something can be delivered.
    package func claimChannels(limit: Int, lease: Duration) async throws -> [ClaimedChannel] {
        try await translatingErrors {
            try await store.claimChannels(
                limit: limit, limitPerTenant: Limits.deliveriesPerTenant.value, lease: lease)
        }
    }

    /// How long until something can be delivered, at most `limit`.
    package func timeUntilDeliveryDue(atMost limit: Duration) async throws -> Duration {
        try await translatingErrors { try await store.timeUntilDeliveryDue(atMost: limit) }
    }

    /// Forgets messages that were done with a week ago.
    package func forgetMessages() async throws {
        try await translatingErrors { try await store.forgetMessages(olderThan: .seconds(7 * 86_400)) }
    }

    /// Delivers the next message to a channel, and writes what came of it.
    ///
    /// Whoever is stopped between the two, or finds that the claim is another's, has sent what is sent again, by the same id.
    ///
    /// - Returns: whether the channel was still claimed.
    @discardableResult
    package func deliver(_ claim: ClaimedChannel) async throws -> Bool {
        try await translatingErrors {
            FaultPoint.deliveryClaimed.reach()
            let (messages, count) = try await store.messages(for: claim, limit: Limits.eventsPerDigest.value)
            let delivery = Delivery(minuteBegan: claim.minuteBegan, sent: claim.sent, now: claim.now)
            var outcome = DeliveryOutcome(minuteBegan: delivery.minuteBegan, sent: delivery.sent)
            let object = try await store.fetch(claim.key)
            guard let spec: NotificationChannelSpec = object?.decodedSpec() else {
                outcome.done = messages.map(\.sequence)
                outcome.next = messages.isEmpty ? nil : claim.now
                outcome.failure = "there is no channel \(claim.key.name) any more"
                return try await store.settle(claim, outcome)
            }
            let isWanted = { (message: OutboxMessage) in spec.filter.wants(message.document) }
            switch delivery.step(messages, isWanted: isWanted) {
            case .nothing: break
            case .wait(let time):
                outcome.attempts = claim.attempts
                outcome.next = time
            case .skip(let sequences):
                outcome.done = sequences
                outcome.next = claim.now
            case .send:
                guard let first = messages.first else { break }
                let text = NotificationText(documents: [first.document], count: 1, at: first.at)
                outcome.take(try await send(text, first.dedupeKey, to: spec, claim), for: first, claim)
            case .digest: try await deliverDigest(messages, count, to: spec, claim, &outcome)
            }
            FaultPoint.deliverySent.reach()
            let isClaimed = try await store.settle(claim, outcome)
            FaultPoint.deliveryCommitted.reach()
            return isClaimed
        }
    }

    /// - Parameters:
    ///   - messages: the oldest ones that wait.
    ///   - count: how many there are.
    private func deliverDigest(
        _ messages: [OutboxMessage], _ count: Int, to spec: NotificationChannelSpec, _ claim: ClaimedChannel,
        _ outcome: inout DeliveryOutcome
    ) async throws {
        guard var first = messages.first else { return }
        var (messages, count) = (messages, count)
        if first.digest == nil {
            guard try await store.digest(claim, from: first.sequence) else { return }
            // Read again: what is sent again after a crash has to be the same.
            (messages, count) = try await store.messages(for: claim, limit: Limits.eventsPerDigest.value)
            guard let again = messages.first, again.digest != nil else {
                outcome.next = claim.now
                return
            }
            first = again
        }
        let wanted = messages.filter { spec.filter.wants($0.document) }
        let text = NotificationText(
            documents: wanted.map(\.document), count: count - (messages.count - wanted.count), at: first.at)
        let refusal = wanted.isEmpty ? nil : try await send(text, first.dedupeKey + "/digest", to: spec, claim)
        outcome.take(refusal, for: first, claim)
        if !outcome.done.isEmpty { outcome.digest = first.digest }
    }

    /// - Returns: why the message was not taken; `nil`: it was.
    private func send(
        _ text: NotificationText, _ id: String, to spec: NotificationChannelSpec, _ claim: ClaimedChannel
    ) async throws -> Refusal? {
        guard let egress else { return Refusal("this server calls nobody") }
        let (url, key): (String, String?)
        do {
            url = try await secret(spec.url, of: claim.key).reveal()
            if let sign = spec.sign { key = try await secret(sign, of: claim.key).reveal() } else { key = nil }
        } catch let missing as MissingSecret {
            return Refusal(missing.reason)
        }
        let bounds = [
            EgressBound("notifications of one tenant (\(claim.key.tenant))", Limits.deliveriesPerTenant.value)
        ]
        let seconds = claim.now.microseconds / 1_000_000
        let service = ChatService(spec.type)
        let call =
            service?.call(
                text.text, to: url, id: id, signedWith: key, at: seconds, timeout: Self.timeout, bounds: bounds)
            ?? WebhookCall(
                url: url, body: WebhookCall.text(of: text.json), id: id, secret: key.map(WebhookSecret.init),
                timeout: Self.timeout, bounds: bounds)
        switch await egress.post(call, at: seconds) {
        case .noAnswer(let reason): return Refusal(reason)
        case .answered(let answer):
            let refusal = if let service { service.refusal(in: answer) } else { answer.refusal }
            guard let reason = refusal else { return nil }
            // Who repeats what it was sent would have it told to all who read the release.
            let told = [url, key ?? ""].filter { !$0.isEmpty }.reduce(reason) { $0.replacing($1, with: "<redacted>") }
            return Refusal(told, retryAfter: answer.retryAfter)
        }
    }

    /// The reason for which a message was not taken.
    fileprivate struct Refusal {
        var reason: String
        /// How long the receiver asks to be left alone.
        var retryAfter: Duration?

        init(_ reason: String, retryAfter: Duration? = nil) {
            self.reason = reason
            self.retryAfter = retryAfter
        }
    }
}

extension DeliveryOutcome {
    /// Takes over what came of sending.
    ///
    /// - Parameters:
    ///   - refusal: why it was not taken; `nil`: it was.
    ///   - first: the oldest of the messages that were sent.
    fileprivate mutating func take(
        _ refusal: ControlPlane.Refusal?, for first: OutboxMessage, _ claim: ClaimedChannel
    ) {
        sent += 1
        guard let refusal else {
            done = [first.sequence]
            next = claim.now
            return
        }
        let patience = ControlPlane.deliveryPatience
        guard claim.now - first.at < patience else {
            done = [first.sequence]
            failure = "channel \(claim.key.name) was not told for \(patience.text): \(refusal.reason)"
            next = claim.now
            return
        }
        attempts = claim.attempts + 1
        next = claim.now + max(Delivery.pause(after: attempts), refusal.retryAfter ?? .zero)
    }
}

extension EventFilter {
    /// Whether a channel wants a message, by what stands in the outbox; also what a step tells it, and an event that only a newer
    /// version knows.
    fileprivate func wants(_ document: JSONValue) -> Bool {
        guard let kind = document["event"]?.stringValue.flatMap(ReleaseEvent.Kind.init) else { return true }
        return kind == .notified || passes(kind)
    }
}

extension ChatService {
    /// - Returns: `nil` for those who take JSON.
    fileprivate init?(_ type: NotificationChannelSpec.ChannelType) {
        switch type {
        case .slack: self = .slack
        case .feishu: self = .feishu
        case .dingtalk: self = .dingtalk
        case .json: return nil
        }
    }
}
