internal import Documents
internal import Hummingbird
internal import MeshControl
internal import MeshCore
internal import MeshModel
internal import MeshStore
internal import NIOCore

/// The body of an answer that does not end: a watched list as server-sent events.
///
/// `changed` has the document as the list has it, `deleted` what named it; `synced` comes once, when the client has
/// everything that was there. The `id` of an event is its revision. Of several of one revision only the last one has it,
/// so that whoever comes back with it misses nothing. A change of nothing but conditions has none.
struct EventStream: Sendable {
    let watch: ListWatch
    let place: EventStreams.Place
    /// How long a read of the database may take.
    let deadline: Duration

    /// Writes until the watch or its task ends, or the client is no longer who it was.
    ///
    /// - Parameter isAllowed: asked with every heartbeat, for keys expire and are revoked.
    /// - Throws: what writing throws, and ``StoreError``: the client may come back for the rest.
    @concurrent
    func write(
        to writer: inout any ResponseBodyWriter, isAllowed: () async -> Bool
    ) async throws {
        try await write(EventText.retry, to: &writer)
        var reader = watch.reader
        var wakeups = watch.wakeups.makeAsyncIterator()
        var isSynced = false
        while true {
            if place.takeHeartbeat() {
                guard await isAllowed() else { return }
                try await write(EventText.heartbeat(id: reader.revision), to: &writer)
            }
            if let entries = try await next(of: &reader) {
                try await write(Self.text(entries), to: &writer)
            } else if !isSynced {
                isSynced = true
                try await write(EventText.event("synced", id: reader.revision, [:]), to: &writer)
            } else if await wakeups.next() == nil {
                return
            }
        }
    }

    private func next(of reader: inout WatchReader) async throws -> [FeedEntry]? {
        try await MeshStore.withDeadline(deadline) { try await reader.next() }
    }

    @concurrent
    private func write(_ bytes: [UInt8], to writer: inout any ResponseBodyWriter) async throws {
        place.beginWriting()
        defer { place.endWriting() }
        try await writer.write(ByteBuffer(bytes: bytes))
    }

    private static func text(_ entries: [FeedEntry]) -> [UInt8] {
        entries.indices.flatMap { index in
            let entry = entries[index]
            let isLast = index + 1 == entries.endIndex || entries[index + 1].revision != entry.revision
            let (name, document) = entry.item.event(at: entry.revision)
            return EventText.event(name, id: isLast && !entry.isOfConditions ? entry.revision : nil, document)
        }
    }
}

extension FeedItem {
    fileprivate func event(at revision: Revision) -> (name: String, document: JSONValue) {
        switch self {
        case .object(let object): ("changed", object.json())
        case .deletedObject(let key): ("deleted", key.tombstone(at: revision))
        case .proxy(let proxy): ("changed", proxy.json)
        case .forgottenProxy(let proxy):
            ("deleted", ["name": .string(proxy.name.text), "namespace": .string(proxy.namespace.text)])
        }
    }
}

extension ObjectKey {
    /// The document that stands for a deleted object.
    fileprivate func tombstone(at revision: Revision) -> JSONValue {
        [
            "apiVersion": "sluice/v1",
            "kind": .string(kind.name),
            "metadata": .fields([
                "name": .string(name.text), "tenant": .string(tenant.text), "mesh": mesh.map { .string($0.text) },
                "namespace": namespace.map { .string($0.text) }, "service": service.map { .string($0.text) },
                "revision": .integer(revision),
            ]),
        ]
    }
}
