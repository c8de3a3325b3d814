package import Documents
package import Foundation
internal import GrayRelease
package import MeshCore
package import MeshModel

/// A mesh as a JSON document, for tests: `services`, `endpoints`, `virtualServices`, `destinationRules`, `releases` and other kinds
/// of objects by `namespace/name`.
///
/// ```json
/// { "services": { "shop/reviews": { "spec": {…}, "status": {…} } },
///   "endpoints": { "shop/reviews": { "reviews-v1-1": {…, "createTime": 1} } },
///   "virtualServices": { "shop/reviews": { "spec": {…}, "revision": 3, "createTime": 1 } },
///   "releases": { "shop/reviews-v2": { "service": "reviews", "port": 9080, "stable": "v1", "canary": "v2", "share": 500 } } }
/// ```
///
/// Left out, a revision is 1, a time of creation 0, and the enabled cluster is `dev`.
package enum MeshDocument {
    package static func read(_ data: Data) throws -> MeshState {
        try read(JSONValue(json: data))
    }

    package static func read(_ document: JSONValue) throws -> MeshState {
        var state = MeshState(mesh: MeshKey(tenant: try name("acme"), mesh: .defaultMesh), revision: 10)
        state.enabledClusters = Set(
            try (document["enabledClusters"]?.arrayValue ?? ["dev"]).map { try name($0.stringValue) })
        for (key, item) in document["services"]?.objectValue ?? [:] {
            state.services[try namespaced(key)] = .init(
                spec: try spec(item["spec"]), status: ServiceStatus(item["status"] ?? [:]))
        }
        for (key, items) in document["endpoints"]?.objectValue ?? [:] {
            var endpoints: [Name: MeshState.Endpoint] = [:]
            for (endpoint, item) in items.objectValue ?? [:] {
                // Beside the fields of its `spec`.
                var fields = item.objectValue ?? [:]
                let createTime = fields.removeValue(forKey: "createTime")?.integerValue ?? 0
                endpoints[try name(endpoint)] = try self.endpoint(.object(fields), createTime: createTime)
            }
            state.endpoints[try namespaced(key)] = endpoints
        }
        for (key, item) in document["virtualServices"]?.objectValue ?? [:] {
            state.virtualServices[try namespaced(key)] = .init(
                spec: try spec(item["spec"]),
                createTime: Timestamp(microseconds: item["createTime"]?.integerValue ?? 0))
        }
        for (key, item) in document["destinationRules"]?.objectValue ?? [:] {
            state.destinationRules[try namespaced(key)] = .init(
                spec: try spec(item["spec"]),
                createTime: Timestamp(microseconds: item["createTime"]?.integerValue ?? 0))
        }
        for (key, item) in document["releases"]?.objectValue ?? [:] {
            let name = try namespaced(key)
            state.releases[name] = try release(item, in: name.namespace)
        }
        for kind in kinds.all where kind.scope == .namespace && !special.contains(kind) {
            for (key, item) in document[kind.info.plural]?.objectValue ?? [:] {
                state.revision += 1
                try put(.namespaced(kind, namespaced(key), in: state.mesh), item, in: &state)
            }
        }
        return state
    }

    /// Those that have more in these documents than a `spec` and a `createTime`.
    private static let special: [Kind] = [.service, .virtualService, .destinationRule, .release]

    private static func put(_ key: ObjectKey, _ item: JSONValue, in state: inout MeshState) throws {
        let object = StoredObject(
            key: key, uid: "", generation: 1, revision: state.revision, metadata: ObjectLabels(),
            createTime: Timestamp(microseconds: item["createTime"]?.integerValue ?? 0),
            updateTime: Timestamp(microseconds: 0), spec: item["spec"] ?? .null, status: [:])
        let input = ObjectInput(object, for: state.mesh)
        guard input.isReadable else { throw Unreadable("\(key) cannot be read") }
        _ = state.apply([input])
    }

    private static func release(_ item: JSONValue, in namespace: Name) throws -> ReleaseTraffic {
        var traffic = ReleaseTraffic(
            service: NamespacedName(namespace: namespace, name: try name(item["service"]?.stringValue)),
            port: (item["port"]?.integerValue).map { Int($0) }, stable: try name(item["stable"]?.stringValue),
            canary: try name(item["canary"]?.stringValue),
            canaryShare: TrafficShare(basisPoints: item["share"]?.integerValue ?? 0) ?? .none)
        traffic.matches = try (item["matches"]?.arrayValue ?? []).map { try spec($0) }
        if let paths = item["paths"]?.arrayValue {
            traffic.paths = try paths.map { try spec($0) }
        }
        traffic.rules = (item["rules"]?.arrayValue ?? []).compactMap(\.stringValue)
        traffic.ports = (item["ports"]?.arrayValue ?? []).compactMap(\.integerValue).map { Int($0) }
        if let stickiness = item["stickiness"] { traffic.stickiness = try spec(stickiness) }
        if let mirror = item["mirror"] {
            traffic.mirror = ReleaseTraffic.Mirror(
                share: TrafficShare(basisPoints: mirror["share"]?.integerValue ?? 0) ?? .none,
                methods: (mirror["methods"]?.arrayValue ?? []).compactMap(\.stringValue))
        }
        return traffic
    }

    /// An object of a document as a client of the API has it: what pointers into it are about.
    package static func object(_ key: ObjectKey, in document: JSONValue) -> JSONValue? {
        guard let namespace = key.namespace else { return nil }
        switch key.kind {
        case .endpoint:
            let service = key.service.flatMap { document["endpoints"]?["\(namespace)/\($0)"] }
            return service?[key.name.text].map { ["spec": $0] }
        case .release:
            guard case .object(var spec)? = document["releases"]?["\(namespace)/\(key.name)"] else { return nil }
            for side in ["stable", "canary"] { spec[side] = spec[side].map { ["version": $0] } }
            if let stickiness = spec["stickiness"] {
                spec["strategy"] = ["trafficRouting": ["stickiness": stickiness]]
            }
            return ["spec": .object(spec)]
        default: return document[key.kind.info.plural]?["\(namespace)/\(key.name)"]
        }
    }

    package static func endpoint(_ spec: JSONValue, createTime: Int64 = 0) throws -> MeshState.Endpoint {
        MeshState.Endpoint(spec: try self.spec(spec), createTime: Timestamp(microseconds: createTime))
    }

    /// Reads a `spec` and throws what is wrong with it.
    package static func spec<T: Document>(_ document: JSONValue?) throws -> T {
        let log = ViolationLog()
        guard let spec = T.read(document ?? .null, at: JSONPointer(["spec"]), log: log), log.unknownFields.isEmpty
        else {
            throw Unreadable("\(log.violations + log.unknownFields)")
        }
        return spec
    }

    package static func name(_ text: String?) throws -> Name {
        guard let name = text.flatMap(Name.init) else { throw Unreadable("\(text ?? "nothing") is no name") }
        return name
    }

    /// `namespace/name`.
    package static func namespaced(_ text: String) throws -> NamespacedName {
        let parts = text.split(separator: "/")
        guard parts.count == 2 else { throw Unreadable("\(text) is not namespace/name") }
        return NamespacedName(namespace: try name(String(parts[0])), name: try name(String(parts[1])))
    }

    package struct Unreadable: Error, CustomStringConvertible {
        package let description: String

        package init(_ description: String) { self.description = description }
    }
}

extension MeshState {
    /// The same mesh in tables that were filled in another order.
    package func shuffled() -> MeshState {
        var state = self
        func refill<V>(_ table: Table<V>) -> Table<V> {
            var result = Table<V>()
            for (key, value) in table.shuffled() { result[key] = value }
            return result
        }
        state.endpoints = refill(endpoints)
        for (service, endpoints) in endpoints {
            var others = [Name: MeshState.Endpoint](minimumCapacity: Int.random(in: 0...64))
            for (name, endpoint) in endpoints.shuffled() { others[name] = endpoint }
            state.endpoints[service] = others
        }
        func refill<K: ResourceKind>(_ kind: K.Type) { state[kind] = refill(self[kind]) }
        for kind in kinds.all where kind.scope == .namespace { refill(kind.specType) }
        return state
    }
}
