@testable import XDSServer

/// A response as a client sees it, whichever way it came.
struct Received: Equatable, CustomStringConvertible {
    struct Item: Equatable {
        var name: String
        var version: String
        /// `nil`: there is no body.
        var content: String?
    }

    var type: ResourceType
    var nonce: String
    var items: [Item]
    var removed: [String] = []
    /// Delta: its items have no bodies, because the client has them.
    var isHeartbeat = false

    init(type: ResourceType, nonce: String, items: [Item], removed: [String]) {
        (self.type, self.nonce, self.items, self.removed) = (type, nonce, items, removed)
    }

    init(_ answer: DiscoveryResponse) {
        let resources =
            switch answer.resources {
            case .everything(let set, let lingering): set.resources + lingering
            case .some(let some): some
            }
        self.init(
            type: answer.type, nonce: answer.nonce,
            items: resources.map {
                Item(name: $0.name, version: $0.version, content: answer.isHeartbeat ? nil : Self.content($0.body))
            },
            removed: answer.removed)
        isHeartbeat = answer.isHeartbeat
    }

    var description: String {
        let items = items.map { "\($0.name)=\($0.content ?? "nothing")" }.joined(separator: " ")
        return "\(type) \(nonce): \(items)" + (removed.isEmpty ? "" : " without \(removed)")
    }

    /// What the response says something about.
    var mentioned: Set<String> { Set(items.map(\.name)).union(removed) }

    var hasDuplicates: Bool { mentioned.count < items.count + removed.count }

    /// The text after the name in a body made by ``resource(_:_:_:)``.
    static func content(_ body: [UInt8]) -> String? {
        guard let equals = body.firstIndex(of: UInt8(ascii: "=")) else { return nil }
        return String(decoding: body[(equals + 1)...], as: UTF8.self)
    }

    /// The clusters that a route or virtual host of the random world names.
    static func clusters(in content: String?) -> Set<String> {
        Set((content ?? "").split(separator: ",").map(String.init))
    }
}
