internal import Documents
internal import GrayRelease
internal import MeshCore
internal import MeshModel
internal import Postgres

extension StoreTransaction {
    /// The statements that have channels told of a decision's events, as the release says. They are written with the events, so that
    /// what happened is told, and nothing else.
    func outboxWrites(_ events: [ReleaseEvent], of release: StoredObject, by actor: String) throws -> [Statement] {
        guard !events.isEmpty, let spec: ReleaseSpec = release.decodedSpec() else { return [] }
        var told: [Name: [ReleaseEvent]] = [:]
        for event in events {
            for channel in spec.channels(toldOf: event) { told[channel, default: []].append(event) }
        }
        let row = ObjectRow(release.key)
        // In everybody's order, as the channels' rows are locked.
        return try told.sorted { $0.key < $1.key }.flatMap { channel, events -> [Statement] in
            let messages = try events.map { event -> Statement in
                let key = "\(release.uid)/\(event.dedupeKey)/\(channel)"
                let document = Self.document(of: event, release.key, spec, by: actor)
                return """
                    INSERT INTO outbox (tenant, mesh, namespace, channel, release, dedupe_key, document)
                    VALUES (\(row.tenant), \(row.mesh), \(row.namespace), \(channel.text), \(release.uid)::text::uuid, \(key),
                            \(try document.stored))
                    ON CONFLICT (tenant, dedupe_key) DO NOTHING
                    """
            }
            // A channel that is left alone for a while stays so.
            let waking: Statement = """
                INSERT INTO outbox_channel AS c (tenant, mesh, namespace, channel, written, next_at)
                VALUES (\(row.tenant), \(row.mesh), \(row.namespace), \(channel.text), 1, now())
                ON CONFLICT (tenant, mesh, namespace, channel) DO UPDATE
                   SET written = c.written + 1, next_at = coalesce(c.next_at, now())
                """
            return messages + [waking]
        }
    }

    private static func document(
        of event: ReleaseEvent, _ key: ObjectKey, _ spec: ReleaseSpec, by actor: String
    ) -> JSONValue {
        .fields([
            "event": .string(event.kind.rawValue), "severity": .string(event.kind.severity.rawValue),
            "tenant": .string(key.tenant.text), "mesh": key.mesh.map { .string($0.text) },
            "namespace": key.namespace.map { .string($0.text) }, "release": .string(key.name.text),
            "service": .string(spec.service.text), "stable": .string(spec.stable.version.text),
            "canary": .string(spec.canary.version.text), "phase": .string(event.phase.rawValue),
            "step": event.stepIndex.map { .integer(Int64($0)) },
            "reason": event.reason.map { .string($0.rawValue) },
            "message": event.message.isEmpty ? nil : .string(event.message),
            "share": .integer(Int64(event.canaryShare.basisPoints)), "actor": .string(actor),
            "at": .string(event.at.text),
        ])
    }
}

extension ReleaseSpec {
    /// The channels that are told of an event: those that ask for it, and those that a step is to tell.
    fileprivate func channels(toldOf event: ReleaseEvent) -> Set<Name> {
        var channels = Set(notifications.filter { $0.filter.passes(event.kind) }.map(\.channel))
        if event.kind == .notified, let index = event.stepIndex, strategy.steps.indices.contains(index),
            case .notify(let note) = strategy.steps[index].action
        {
            channels.formUnion(note.channels)
        }
        return channels
    }
}
