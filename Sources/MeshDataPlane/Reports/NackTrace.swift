internal import Documents
internal import EnvoyConfig
internal import MeshCore
internal import MeshModel
internal import XDSServer

/// Traces what proxies refuse to the objects that it was made of, and remembers since when each of them refuses it.
struct NackTrace {
    let meshes: MeshPublishers

    /// Which refusal it is; many proxies usually refuse the same.
    private struct Key: Hashable {
        var mesh: MeshKey
        var type: ResourceType
        var version: String
        var nackMessage: String
        var names: [String]
    }

    private struct Refusal {
        var key: Key
        var since: Timestamp
    }

    /// By proxy and type.
    private var known: [String: [ResourceType: Refusal]] = [:]
    /// The sources of distinct refusals; a bounded number, as a proxy can make as many as it likes.
    private var sources = RecentCache<Key, [String: [Provenance]]>(capacity: 256)
    /// Rejections of one proxy and type that are told of.
    private static let maxRejections = 20
    /// Characters of a rejection's message; the type's `error` has more of it.
    private static let maxMessage = 1_024

    init(meshes: MeshPublishers) { self.meshes = meshes }

    /// The rejections of a proxy, by type.
    mutating func rejections(
        _ report: ProxyReport, _ view: ProxyView?, _ now: Timestamp
    ) async -> [ResourceType: [ProxyRejection]] {
        var result: [ResourceType: [ProxyRejection]] = [:]
        var refusals: [ResourceType: Refusal] = [:]
        for type in report.types {
            guard let nackMessage = type.error, let view else { continue }
            let key = Key(
                mesh: view.mesh, type: type.type, version: type.refusedVersion ?? "", nackMessage: nackMessage,
                names: type.refused)
            let before = known[report.proxy]?[type.type]
            let since = before?.key == key ? before?.since ?? now : now
            refusals[type.type] = Refusal(key: key, since: since)
            result[type.type] = Self.rejections(type, await provenance(of: key, type, view), since)
        }
        known[report.proxy] = report.isConnected && !refusals.isEmpty ? refusals : nil
        return result
    }

    private mutating func provenance(of key: Key, _ type: TypeReport, _ view: ProxyView) async -> [String: [Provenance]]
    {
        if let sources = sources[key] { return sources }
        let found = await meshes[view.mesh]?.provenance(of: type, by: view) ?? [:]
        sources.insert(found, for: key)
        return found
    }

    private static func rejections(
        _ type: TypeReport, _ sources: [String: [Provenance]], _ since: Timestamp
    ) -> [ProxyRejection] {
        let message = String((type.error ?? "").prefix(maxMessage))
        let rejections = type.refused.flatMap { name -> [ProxyRejection] in
            let unknown = ProxyRejection(resource: name, object: nil, pointer: nil, message: message, since: since)
            let known = (sources[name] ?? []).compactMap { ProxyRejection(name, $0, message, since) }
            return known.isEmpty ? [unknown] : known
        }
        let unnamed = ProxyRejection(resource: nil, object: nil, pointer: nil, message: message, since: since)
        return rejections.isEmpty ? [unnamed] : Array(rejections.prefix(maxRejections))
    }
}

extension ProxyRejection {
    fileprivate init?(_ resource: String, _ source: Provenance, _ message: String, _ since: Timestamp) {
        guard let name = source.object.namespacedName else { return nil }
        self.init(
            resource: resource, object: Object(kind: source.object.kind.name, name: name),
            pointer: source.pointer.description, message: message, since: since)
    }
}
