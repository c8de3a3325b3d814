internal import Documents
internal import MeshControl
internal import MeshStore

extension ProxyConfig {
    /// A place in the order of types and names.
    struct Cursor {
        var type: Int
        var name: String

        /// Names may have any characters in them, so they are the rest of the token.
        init?(_ parts: [String]) {
            guard parts.count >= 2, let type = Int(parts[0]) else { return nil }
            self.type = type
            name = parts.dropFirst().joined(separator: "/")
        }

        init(type: Int, name: String) {
            self.type = type
            self.name = name
        }

        var parts: [String] { [String(type), name] }
    }

    private struct Item {
        var place: Cursor
        var json: () -> JSONValue
    }

    /// Bytes of resources after which a page ends early. One resource is answered however large it is.
    private static let pageBytes = 4 << 20

    /// `{"revision", "types", "items", "nextPageToken"}`; the items are what was sent, or what is different in it.
    func page(isDiff: Bool, size: Int, after: Cursor?) -> APIAnswer {
        let all = isDiff ? differences : sent
        let rest = all.drop { item in
            guard let after else { return false }
            return (item.place.type, item.place.name) <= (after.type, after.name)
        }
        var items: [JSONValue] = []
        var bytes = 0
        for item in rest.prefix(size) {
            let json = item.json()
            let length = isDiff ? 0 : JSONText.print(json).count
            if !items.isEmpty && bytes + length > Self.pageBytes { break }
            bytes += length
            items.append(json)
        }
        let isLast = items.count == rest.count
        let last = items.isEmpty ? nil : rest[rest.startIndex + items.count - 1].place
        return .document(
            .fields([
                "revision": .integer(revision),
                "types": .object(
                    Dictionary(ofTypes.map { ($0.type, $0.json) }, uniquingKeysWith: { first, _ in first })),
                "items": .array(items),
                "nextPageToken": isLast ? nil : last.map { .string(PageToken.of($0.parts)) },
            ]))
    }

    private var sent: [Item] {
        items { type in
            type.sent.map { resource in
                (
                    resource.name,
                    {
                        [
                            "type": .string(type.type), "name": .string(resource.name),
                            "version": .string(resource.version), "resource": resource.content(),
                        ]
                    }
                )
            }
        }
    }

    private var differences: [Item] {
        items { type in
            guard type.source != .unknown else { return [] }
            let sent = Dictionary(type.sent.map { ($0.name, $0.version) }, uniquingKeysWith: { first, _ in first })
            let current = Dictionary(
                type.current.map { ($0.name, $0.version) }, uniquingKeysWith: { first, _ in first })
            return Set(sent.keys).union(current.keys).sorted().compactMap { name in
                let (before, now) = (sent[name], current[name])
                guard before != now else { return nil }
                return (
                    name,
                    {
                        .fields([
                            "type": .string(type.type), "name": .string(name),
                            "change": before == nil ? "added" : now == nil ? "removed" : "changed",
                            "sentVersion": before.map(JSONValue.string), "currentVersion": now.map(JSONValue.string),
                        ])
                    }
                )
            }
        }
    }

    private func items(_ list: (OfType) -> [(name: String, json: () -> JSONValue)]) -> [Item] {
        ofTypes.flatMap { type in
            let place = Self.types.firstIndex(of: type.type) ?? Self.types.count
            return list(type).map { Item(place: Cursor(type: place, name: $0.name), json: $0.json) }
        }
    }
}

extension ProxyConfig.OfType {
    fileprivate var json: JSONValue {
        [
            "state": .string(state.rawValue), "source": .string(source.rawValue), "sentVersion": .string(sentVersion),
            "ackedVersion": .string(ackedVersion), "currentVersion": .string(currentVersion),
        ]
    }
}
