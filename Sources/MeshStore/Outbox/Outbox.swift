package import Documents
internal import GrayRelease
package import MeshCore
internal import MeshModel
internal import Postgres

/// A message to a channel that waits to be delivered.
package struct OutboxMessage: Hashable, Sendable {
    /// Grows from message to message.
    package var sequence: Int64
    /// The text that the receiver knows the message by.
    package var dedupeKey: String
    /// The event, as it is told.
    package var document: JSONValue
    package var at: Timestamp
    /// The first one of those that are sent as one message; `nil`: it is sent by itself.
    package var digest: Int64?

    package init(sequence: Int64, dedupeKey: String, document: JSONValue, at: Timestamp, digest: Int64? = nil) {
        self.sequence = sequence
        self.dedupeKey = dedupeKey
        self.document = document
        self.at = at
        self.digest = digest
    }
}

/// A channel that one replica alone may deliver to until its lease ends.
package struct ClaimedChannel: Sendable {
    /// The key that the channel's object has, if there is one.
    package let key: ObjectKey
    /// When it was claimed.
    package let now: Timestamp
    /// Deliveries of the oldest message that failed.
    package let attempts: Int
    package let minuteBegan: Timestamp
    /// Messages that were sent in the minute that began then.
    package let sent: Int
    let epoch: Int64
    let written: Int64
}

/// The outcome of an attempt to deliver, as it is written.
package struct DeliveryOutcome: Sendable {
    /// Messages that are done with.
    package var done: [Int64] = []
    /// Whether all messages of a digest are done with besides; the first one's sequence.
    package var digest: Int64?
    /// The reason for which those that are done with were given up, and how it is said in the events of releases; `nil`: they were not.
    package var failure: String?
    package var attempts = 0
    package var minuteBegan: Timestamp
    package var sent: Int
    /// When to go on; `nil`: when there is a message.
    package var next: Timestamp?

    package init(minuteBegan: Timestamp, sent: Int) {
        self.minuteBegan = minuteBegan
        self.sent = sent
    }
}

extension ClaimedChannel {
    /// `true` for the rows of this channel.
    fileprivate var predicate: Statement {
        let row = ObjectRow(key)
        return """
            tenant = \(row.tenant) AND mesh = \(row.mesh) AND namespace = \(row.namespace) AND channel = \(row.name)
            """
    }
}

extension MeshStore {
    /// Takes channels of all tenants to which something can be delivered, the longest waiting first.
    ///
    /// - Parameter limitPerTenant: how many of one tenant may be claimed at a time, by all replicas together.
    package func claimChannels(
        limit: Int, limitPerTenant: Int, lease: Duration
    ) async throws(StoreError) -> [ClaimedChannel] {
        let isDue: Statement = "next_at <= now() AND (lease_until IS NULL OR lease_until < now())"
        return try await rows(
            """
            WITH candidate AS (
                SELECT tenant, mesh, namespace, channel, next_at,
                       row_number() OVER (PARTITION BY tenant ORDER BY next_at)
                       + (SELECT count(*) FROM outbox_channel l WHERE l.tenant = c.tenant AND l.lease_until > now()) AS place
                  FROM outbox_channel c WHERE \(isDue)
            ), due AS (
                SELECT tenant, mesh, namespace, channel FROM outbox_channel
                 WHERE (tenant, mesh, namespace, channel) IN (
                           SELECT tenant, mesh, namespace, channel FROM candidate
                            WHERE place <= \(Int64(limitPerTenant)) ORDER BY next_at LIMIT \(limit))
                   AND \(isDue)
                   FOR UPDATE SKIP LOCKED)
            UPDATE outbox_channel c
               SET lease_epoch = c.lease_epoch + 1,
                   lease_until = now() + make_interval(secs => \(Double(lease.microseconds) / 1e6))
              FROM due
             WHERE (c.tenant, c.mesh, c.namespace, c.channel) = (due.tenant, due.mesh, due.namespace, due.channel)
            RETURNING c.tenant, c.mesh, c.namespace, c.channel, c.attempts, c.minute_began, c.sent, c.lease_epoch, c.written,
                      now() AS now
            """, seeing: .all
        ).all { row throws(PostgresError) in
            let mesh = MeshKey(tenant: try row.name("tenant"), mesh: try row.name("mesh"))
            let name = NamespacedName(namespace: try row.name("namespace"), name: try row.name("channel"))
            return ClaimedChannel(
                key: .namespaced(.notificationChannel, name, in: mesh), now: try row.time("now"),
                attempts: Int(try row["attempts", as: Int32.self]), minuteBegan: try row.time("minute_began"),
                sent: Int(try row["sent", as: Int32.self]), epoch: try row["lease_epoch"], written: try row["written"])
        }
    }

    /// The oldest messages that wait in a channel and are sent in the same way, by themselves or in one digest, and how many there are of
    /// them.
    package func messages(
        for claim: ClaimedChannel, limit: Int
    ) async throws(StoreError) -> (messages: [OutboxMessage], count: Int) {
        let rows = try await rows(
            """
            WITH waiting AS (SELECT * FROM outbox WHERE \(claim.predicate) AND done_at IS NULL),
                 first AS (SELECT digest FROM waiting ORDER BY sequence LIMIT 1)
            SELECT w.sequence, w.dedupe_key, w.document, w.at, w.digest, count(*) OVER () AS count
              FROM waiting w JOIN first ON w.digest IS NOT DISTINCT FROM first.digest
             ORDER BY w.sequence LIMIT \(limit)
            """, seeing: .tenant(claim.key.tenant))
        let messages = try rows.all { row throws(PostgresError) in
            OutboxMessage(
                sequence: try row["sequence"], dedupeKey: try row["dedupe_key"], document: try row.json("document"),
                at: try row.time("at"), digest: try row["digest"])
        }
        let count = try rows.first { row throws(PostgresError) -> Int64 in try row["count"] }
        return (messages, Int(clamping: count ?? 0))
    }

    /// Has all messages that wait in a channel sent as one.
    ///
    /// - Parameter first: the oldest one's sequence.
    /// - Returns: `false` if another replica has claimed the channel; then nothing was written.
    package func digest(_ claim: ClaimedChannel, from first: Int64) async throws(StoreError) -> Bool {
        try await !rows(
            """
            UPDATE outbox SET digest = \(first)
             WHERE \(claim.predicate) AND done_at IS NULL AND digest IS NULL
               AND EXISTS (SELECT FROM outbox_channel WHERE \(claim.predicate) AND lease_epoch = \(claim.epoch))
            RETURNING 1
            """, seeing: .tenant(claim.key.tenant)
        ).isEmpty
    }

    /// Writes what an attempt has come to, and ends the claim. Of messages that were given up the releases have an event.
    ///
    /// - Returns: `false` if another replica has claimed the channel meanwhile; then nothing was written.
    package func settle(_ claim: ClaimedChannel, _ outcome: DeliveryOutcome) async throws(StoreError) -> Bool {
        let isDone: Statement = """
            \(claim.predicate) AND done_at IS NULL
            AND (sequence = ANY (\(outcome.done)::bigint[]) OR digest = \(outcome.digest))
            """
        // An event says the release's phase, which nobody may change meanwhile.
        let lock: Statement = """
            SELECT 1 FROM release r JOIN object o ON \(ReleaseRow.join)
             WHERE o.tenant = \(claim.key.tenant.text) AND o.uid IN (SELECT release FROM outbox WHERE \(isDone))
             ORDER BY r.mesh, r.namespace, r.name FOR UPDATE OF r
            """
        let settlement: Statement = """
            WITH kept AS (
                UPDATE outbox_channel
                   SET lease_until = NULL, attempts = \(Int64(outcome.attempts)), minute_began = \(outcome.minuteBegan.stored),
                       sent = \(Int64(outcome.sent)),
                       next_at = coalesce(\(outcome.next?.stored)::timestamptz,
                                          CASE WHEN written <> \(claim.written) THEN now() END)
                 WHERE \(claim.predicate) AND lease_epoch = \(claim.epoch)
                RETURNING 1),
            done AS (
                UPDATE outbox SET done_at = now(), failure = \(outcome.failure)
                 WHERE \(isDone) AND EXISTS (SELECT FROM kept)
                RETURNING tenant, release, sequence, dedupe_key),
            told AS (
                INSERT INTO release_event (tenant, release, dedupe_key, type, actor, payload, at)
                SELECT DISTINCT ON (d.release) d.tenant, d.release, 'NotificationFailed/' || d.dedupe_key,
                       \(ReleaseEvent.Kind.notificationFailed.rawValue), 'release-engine',
                       (e.payload - 'reason') || jsonb_build_object('message', \(outcome.failure ?? "")::text), now()
                  FROM done d
                  JOIN LATERAL (SELECT payload FROM release_event e WHERE e.tenant = d.tenant AND e.release = d.release
                                 ORDER BY sequence DESC LIMIT 1) e ON true
                 WHERE \(outcome.failure != nil) ORDER BY d.release, d.sequence
                ON CONFLICT DO NOTHING)
            SELECT 1 FROM kept
            """
        let locks = outcome.failure == nil ? [] : [lock]
        do {
            let results = try await pool.pipeline(
                [Visibility.tenant(claim.key.tenant).statement] + locks + [settlement])
            return results.last?.isEmpty == false
        } catch {
            throw StoreError(error)
        }
    }

    /// How long until something can be delivered, at most `limit`.
    package func timeUntilDeliveryDue(atMost limit: Duration) async throws(StoreError) -> Duration {
        let seconds = try await rows(
            """
            SELECT extract(epoch FROM min(greatest(next_at, coalesce(lease_until, next_at))) - now())::float8 AS s
              FROM outbox_channel WHERE next_at IS NOT NULL
            """, seeing: .all
        ).single { row throws(PostgresError) -> Double? in try row["s"] }
        guard let seconds else { return limit }
        return max(.zero, min(limit, .seconds(seconds)))
    }

    /// Deletes messages that were done with long ago, and channels that nothing is left of.
    package func forgetMessages(olderThan age: Duration) async throws(StoreError) {
        let seconds = Double(age.components.seconds)
        _ = try await rows(
            "DELETE FROM outbox WHERE done_at < now() - make_interval(secs => \(seconds))", seeing: .all)
        _ = try await rows(
            """
            DELETE FROM outbox_channel c WHERE next_at IS NULL AND (lease_until IS NULL OR lease_until < now())
               AND NOT EXISTS (SELECT FROM outbox o WHERE o.tenant = c.tenant AND o.mesh = c.mesh
                                  AND o.namespace = c.namespace AND o.channel = c.channel)
            """, seeing: .all)
    }
}
