internal import Documents
internal import MeshCore
internal import MeshStore

extension ProxyRow {
    /// A proxy as all replicas together know it.
    var json: JSONValue {
        .fields([
            "name": .string(name.name.text),
            "namespace": .string(name.namespace.text),
            "connected": .bool(connected),
            "connectedAt": .string(connectedAt.text),
            "revision": .integer(ackedRevision),
            "client": client?.json ?? [:],
            "status": .fields(["telemetry": telemetry.map { .string($0.rawValue) }]),
            "types": types.json,
            "lastError": rejectedRevision.map {
                ["revision": .integer($0), "message": .string(rejectedMessage ?? "")]
            },
        ])
    }
}
