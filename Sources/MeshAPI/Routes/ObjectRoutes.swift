internal import Documents
internal import HTTPTypes
internal import MeshControl
internal import MeshCore
internal import MeshModel
internal import MeshStore

/// The operations that objects of every kind have: HTTP in, ``ControlPlane`` call, HTTP out.
struct ObjectRoutes: Sendable {
    static let writeQuery = ["validateOnly", "fieldValidation"]
    static let listQuery = ["pageSize", "pageToken", "labelSelector"]
    /// Asks for what the server brings with it as well.
    private static let builtinQuery = "builtin"

    let kind: Kind
    let control: ControlPlane
    let watches: WatchRoutes

    var routes: [Route] {
        let (collection, item) = (ObjectPaths.collection(kind), ObjectPaths.item(kind))
        let (one, many) = (kind.name, kind.info.pluralName)
        return [
            Route(
                .get, collection, "list\(many)", .needs(.read(kind)),
                query: Self.listQuery + (kind == .analysisTemplate ? [Self.builtinQuery] : []),
                isWatchable: kind.scope != .platform
            ) { $0.head.prefersEvents ? try await self.watch($0) : try await self.list($0) },
            Route(
                .post, collection, "create\(one)", .needs(.create(kind)), body: .json(required: true),
                query: Self.writeQuery
            ) {
                try await self.create($0)
            },
            Route(.get, item, "get\(one)", .needs(.read(kind))) { try await self.fetch($0) },
            Route(.put, item, "put\(one)", .needs(.update(kind)), body: .json(required: true), query: Self.writeQuery) {
                try await self.change($0, .replace($0.body))
            },
            Route(.patch, item, "patch\(one)", .needs(.update(kind)), body: .mergePatch, query: Self.writeQuery) {
                try await self.change($0, .patch($0.body))
            },
            Route(.delete, item, "delete\(one)", .needs(.delete(kind)), query: ["validateOnly"]) {
                try await self.delete($0)
            },
            Route(
                .get, "\(item):references", "list\(one)References", .needs(.read(kind)),
                query: ["pageSize", "pageToken"]
            ) { try await self.references($0) },
        ]
    }

    private func list(_ request: APIRequest) async throws -> APIAnswer {
        let paging = Paging(request.query, PageCursor.init(parts:))
        let labels = LabelSelector.read(request.query)
        let withBuiltins = request.query.flag(Self.builtinQuery)
        try request.query.check()
        let page = try await control.list(
            kind, in: try request.scope(kind), ListOptions(pageSize: paging.size, after: paging.after, labels: labels),
            by: request.caller)
        // Before all others, and they have no labels.
        let builtins = withBuiltins && paging.after == nil && labels.isEmpty ? control.builtinTemplates : []
        return .page(builtins + page.items.map { $0.json() }, next: page.next?.parts)
    }

    private func watch(_ request: APIRequest) async throws -> APIAnswer {
        let labels = LabelSelector.read(request.query)
        return try await watches.answer(request) { revision in
            try await control.watch(
                kind, in: try request.scope(kind), labels: labels, after: revision, by: request.caller)
        }
    }

    private func fetch(_ request: APIRequest) async throws -> APIAnswer {
        let (object, refusal) = try await control.fetchWithRefusal(request.key(kind), by: request.caller)
        // What proxies say is not part of the version, nor what was found out, nor what a release does to rules that are written
        // meanwhile, nor whether it is time for a window.
        let page = try await control.page(of: object)
        let isAsStored = page.map { $0.routes.isEmpty && $0.observed == nil && $0.missing.isEmpty } ?? true
        if refusal == nil, isAsStored, object.conditions == nil, kind != .freezeWindow,
            request.has(ObjectVersion(object))
        {
            return .notModified(ObjectVersion(object))
        }
        return .object(object, refusal: refusal, page: page)
    }

    private func create(_ request: APIRequest) async throws -> APIAnswer {
        let options = try request.writeOptions()
        let outcome = try await control.write(
            kind, nil, in: try request.scope(kind), .create(request.body), options, by: request.caller,
            recording: { APIAnswer.written($0).stored })
        return APIAnswer(outcome) { .written($0) }
    }

    private func change(_ request: APIRequest, _ change: ObjectChange) async throws -> APIAnswer {
        let options = try request.writeOptions()
        let key = try request.key(kind)
        let outcome = try await control.write(
            kind, key.name, in: try request.scope(kind), change, options, by: request.caller)
        return APIAnswer(outcome) { .written($0) }
    }

    private func delete(_ request: APIRequest) async throws -> APIAnswer {
        try await control.delete(request.key(kind), request.writeOptions(), by: request.caller)
        return APIAnswer(.noContent)
    }
}

extension ObjectRoutes {
    private func references(_ request: APIRequest) async throws -> APIAnswer {
        let paging = Paging(request.query, ReferrerCursor.init(parts:))
        try request.query.check()
        let references = try await control.references(
            of: request.key(kind), after: paging.after, pageSize: paging.size, by: request.caller)
        return .document(
            .fields([
                "uses": .array(
                    references.uses.map { referrer, exists in
                        referrer.json(about: referrer.target, from: referrer.object).merged(with: [
                            "exists": .bool(exists)
                        ])
                    }),
                "usedBy": .array(references.usedBy.items.map { $0.json(about: $0.object, from: $0.target) }),
                "nextPageToken": references.usedBy.next.map { .string(PageToken.of($0.parts)) },
            ]))
    }
}

extension Referrer {
    /// - Parameters:
    ///   - object: of the two the one that is told.
    ///   - other: the one that was asked about.
    fileprivate func json(about object: ObjectKey, from other: ObjectKey) -> JSONValue {
        var (version, subset, secretKey): (JSONValue?, JSONValue?, JSONValue?)
        switch part {
        case .version(let name): version = .string(name.text)
        case .subset(let name): subset = .string(name.text)
        case .key(let name): secretKey = .string(name)
        case nil: break
        }
        return .fields([
            "object": object.reference(from: other), "pointer": .string(pointer),
            "strength": .string(strength.rawValue),
            "version": version, "subset": subset, "key": secretKey,
        ])
    }
}
