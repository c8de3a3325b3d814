internal import MeshModel
internal import MeshStore

extension JSONPrinter {
    /// A proxy as all replicas together know it.
    mutating func proxy(_ proxy: ProxyRow) {
        object { printer in
            printer.member("name", proxy.name.name.text)
            printer.member("namespace", proxy.name.namespace.text)
            printer.member("connected", .bool(proxy.connected))
            printer.member("connectedAt", proxy.connectedAt.text)
            printer.member("revision", .integer(proxy.ackedRevision))
            printer.member("types", proxy.types)
            if let revision = proxy.rejectedRevision {
                printer.member(
                    "lastError",
                    ["revision": .integer(revision), "message": .string(proxy.rejectedMessage ?? "")])
            }
        }
    }
}
