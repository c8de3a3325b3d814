package import Documents
internal import Foundation
internal import HTTPTypes
package import MeshControl
internal import MeshCore
internal import MeshIdentity
internal import MeshStore
internal import Yams

/// Turns what a proxy needs to know into its bootstrap document. The data plane has the one that knows Envoy.
package typealias BootstrapRenderer = @Sendable (ProxyBootstrap) throws -> JSONValue

/// Connected sidecars: what each was sent, and the bootstrap that connects a new one.
struct ProxyRoutes: Sendable {
    let control: ControlPlane
    let renderer: BootstrapRenderer
    let configs: ProxyConfigSource
    let watches: WatchRoutes

    var routes: [Route] {
        let collection = ObjectPaths.mesh + "/proxies"
        let item = collection + "/{proxy}"
        return [
            Route(
                .get, collection, "listProxies", .needs(.readProxies), query: ["pageSize", "pageToken", "namespace"],
                isWatchable: true
            ) { $0.head.prefersEvents ? try await self.watch($0) : try await self.list($0) },
            Route(.get, item, "getProxy", .needs(.readProxies), query: ["namespace"]) { try await self.fetch($0) },
            Route(
                .post, "\(item):goodbye", "dismissProxy", .needs(.dismissProxies), body: .json(required: false),
                query: ["namespace"]
            ) { try await self.dismiss($0) },
            Route(
                .get, "\(item)/config", "getProxyConfig", .needs(.readProxies),
                query: ["namespace", "type", "resource", "diff", "pageSize", "pageToken"]
            ) { try await self.config($0) },
            Route(
                .get, "\(item)/bootstrap", "getProxyBootstrap", .needs(.bootstrapProxies),
                query: ["namespace", "service", "cluster", "httpProxyPort", "adminPort", "client", "xds"]
            ) { try await self.bootstrap($0) },
        ]
    }

    private func list(_ request: APIRequest) async throws -> APIAnswer {
        let paging = Paging(request.query, Self.cursor)
        let namespace = request.query.name("namespace")
        try request.query.check()
        let page = try await control.proxies(
            of: request.mesh(), namespace: namespace, pageSize: paging.size, after: paging.after, by: request.caller)
        return .page(page.items.map(\.json), next: page.next.map { [$0.namespace.text, $0.name.text] })
    }

    private func watch(_ request: APIRequest) async throws -> APIAnswer {
        let namespace = request.query.name("namespace")
        return try await watches.answer(request) { revision in
            try await control.watchProxies(
                of: request.mesh(), namespace: namespace, after: revision, by: request.caller)
        }
    }

    private static func cursor(_ parts: [String]) -> NamespacedName? {
        guard parts.count == 2, let namespace = Name(parts[0]), let name = Name(parts[1]) else { return nil }
        return NamespacedName(namespace: namespace, name: name)
    }

    private func fetch(_ request: APIRequest) async throws -> APIAnswer {
        let namespace = request.query.name("namespace")
        try request.query.check()
        let proxy = try await control.proxy(
            try request.name("proxy"), of: request.mesh(), namespace: namespace, by: request.caller)
        return .document(proxy.json)
    }

    private func dismiss(_ request: APIRequest) async throws -> APIAnswer {
        let namespace = request.query.name("namespace")
        try request.query.check()
        let log = ViolationLog()
        FieldReader(request.body, at: .root, log: log).finish()
        let violations = log.violationsAndUnknownFields
        guard violations.isEmpty else { throw ControlError.invalid(violations) }
        let proxy = try await control.dismiss(
            try request.name("proxy"), of: request.mesh(), namespace: namespace, by: request.caller)
        return .document(proxy.json)
    }

    private func config(_ request: APIRequest) async throws -> APIAnswer {
        let query = request.query
        let namespace = query.name("namespace")
        let type = query.choice("type", ProxyConfig.types)
        let resource = query.text("resource")
        let isDiff = query.flag("diff")
        let paging = Paging(query, ProxyConfig.Cursor.init)
        try query.check()
        let config = try await control.proxyConfig(
            try request.name("proxy"), of: request.mesh(), namespace: namespace, by: request.caller, from: configs)
        return config.only(type: type, resource: resource).page(isDiff: isDiff, size: paging.size, after: paging.after)
    }

    private func bootstrap(_ request: APIRequest) async throws -> APIAnswer {
        let query = request.query
        let namespace = query.name("namespace", required: true)
        let service = query.name("service", required: true)
        let cluster = query.name("cluster", required: true)
        let httpProxyPort = query.integer("httpProxyPort", in: 1...65_535) ?? 15_080
        let adminPort = query.integer("adminPort", in: 1...65_535) ?? 15_000
        if httpProxyPort == adminPort {
            query.log.report(QueryParameters.pointer("adminPort"), .conflict, "must differ from httpProxyPort")
        }
        let client = query.choice("client", ProxyBootstrap.Client.allCases.map(\.rawValue))
        let variant = query.choice("xds", ProxyBootstrap.Variant.allCases.map(\.rawValue))
        try query.check()
        guard let namespace, let service, let cluster else {
            throw ControlError.fault("required parameters were not reported")
        }
        let bootstrap = try await control.bootstrap(
            ProxyBootstrap(
                mesh: request.mesh(), proxy: request.name("proxy"), namespace: namespace, service: service,
                cluster: cluster, httpProxyPort: httpProxyPort, adminPort: adminPort,
                client: client.flatMap(ProxyBootstrap.Client.init) ?? .envoy,
                variant: variant.flatMap(ProxyBootstrap.Variant.init) ?? .delta),
            clusterPointer: QueryParameters.pointer("cluster"), by: request.caller)
        let document = try renderer(bootstrap)
        // The document carries a token, so no cache may keep it.
        let headers: HTTPFields = [.cacheControl: "no-store", .vary: "Accept"]
        // gRPC reads JSON only.
        if bootstrap.client == .grpc || (request.head.headerFields[.accept] ?? "").contains("json") {
            return .document(document, headers: headers)
        }
        let yaml = try Yams.dump(object: Self.plain(document), sortKeys: true)
        return APIAnswer(headers: headers, body: Array(yaml.utf8), type: "application/yaml")
    }

    /// The value as the YAML library takes it.
    private static func plain(_ value: JSONValue) -> Any {
        switch value {
        case .null: NSNull()
        case .bool(let flag): flag
        case .integer(let number): Int(number)
        case .number(let number): number
        case .string(let text): text
        case .array(let elements): elements.map(plain)
        case .object(let members): members.mapValues(plain)
        }
    }
}
