internal import MeshCore
internal import Postgres

extension MeshStore {
    /// The part of a statement that raises the revision of the proxies of some meshes, once each, and answers `tenant`,
    /// `mesh` and `revision` of them. Rows of `proxy` are written after it, for it locks the feeds, in everybody's order.
    ///
    /// - Parameter meshes: a query of `tenant` and `mesh`.
    static func raisingFeeds(_ meshes: Statement) -> Statement {
        """
        INSERT INTO proxy_feed AS f (tenant, mesh, revision)
        SELECT tenant, mesh, 1 FROM (\(meshes)) AS m GROUP BY tenant, mesh
         ORDER BY tenant COLLATE "C", mesh COLLATE "C"
        ON CONFLICT (tenant, mesh) DO UPDATE SET revision = f.revision + 1
        RETURNING tenant, mesh, revision
        """
    }

    /// A replica that falls silent loses its proxies, and has them again when it comes back: changes of them that nobody
    /// writes. Any replica may find it out; one does.
    func noteSilence() async throws(StoreError) {
        _ = try await rows(
            """
            WITH turned AS (
                UPDATE replica SET is_lost = NOT is_lost
                 WHERE id IN (
                    SELECT r.id FROM replica r WHERE r.is_lost = (\(Self.isAlive)) ORDER BY id FOR UPDATE SKIP LOCKED)
                RETURNING id),
            raised AS (
                \(Self.raisingFeeds("SELECT tenant, mesh FROM proxy JOIN turned ON id = replica WHERE connected")))
            UPDATE proxy p SET revision = raised.revision FROM turned, raised
             WHERE p.replica = turned.id AND p.connected AND p.tenant = raised.tenant AND p.mesh = raised.mesh
            """, seeing: .all)
    }

    /// The newest revision, and the one after which the feed holds everything; 0 where there never was a proxy.
    ///
    /// - Throws: ``StoreError/notFound`` if there is no such mesh.
    func proxyFeed(of mesh: MeshKey) async throws(StoreError) -> (newest: Revision, compacted: Revision) {
        let state = try await rows(
            """
            SELECT coalesce(f.revision, 0) AS revision, coalesce(f.compacted, 0) AS compacted
              FROM mesh m LEFT JOIN proxy_feed f ON f.tenant = m.tenant AND f.mesh = m.mesh
             WHERE m.tenant = \(mesh.tenant.text) AND m.mesh = \(mesh.mesh.text)
            """, seeing: .tenant(mesh.tenant)
        ).first { row throws(PostgresError) -> (Revision, Revision) in (try row["revision"], try row["compacted"]) }
        guard let state else { throw .notFound }
        return state
    }

    func proxyPage(of mesh: MeshKey, after: Revision, limit: Int) async throws(StoreError) -> FeedPage {
        let state = try await proxyFeed(of: mesh)
        guard (state.compacted...state.newest).contains(after) else { throw .outOfFeed }
        // Mostly nothing has happened, and the proxies need not be looked at.
        guard after < state.newest else {
            return FeedPage(after: after, revision: after, entries: [], isComplete: true)
        }
        return try await proxyPage(of: mesh, after: after, upTo: state.newest, limit: limit)
    }

    /// Proxies that changed last after one revision and up to another, and those that were forgotten: as many as `limit`, and
    /// the rest of the last one's revision.
    func proxyPage(
        of mesh: MeshKey, after: Revision, upTo: Revision, limit: Int
    ) async throws(StoreError) -> FeedPage {
        let span: Statement = """
            WHERE tenant = \(mesh.tenant.text) AND mesh = \(mesh.mesh.text) AND revision > \(after) AND revision <= \(upTo)
            """
        let entries = try await rows(
            """
            WITH page AS (
                SELECT tenant, mesh, namespace, name, revision, false AS forgotten FROM proxy \(span)
                UNION ALL
                SELECT tenant, mesh, namespace, name, revision, true FROM forgotten_proxy \(span)
                ORDER BY revision FETCH FIRST \(limit) ROWS WITH TIES)
            SELECT page.*, \(Self.proxyColumns)
              FROM page
              LEFT JOIN proxy p ON NOT forgotten AND p.tenant = page.tenant AND p.mesh = page.mesh
                               AND p.namespace = page.namespace AND p.name = page.name
              LEFT JOIN replica r ON r.id = p.replica
             ORDER BY page.revision, namespace, name
            """, seeing: .tenant(mesh.tenant)
        ).all { row throws(PostgresError) -> FeedEntry in
            let name = NamespacedName(namespace: try row.name("namespace"), name: try row.name("name"))
            return FeedEntry(
                revision: try row["revision"],
                item: try row["forgotten"] ? .forgottenProxy(name) : .proxy(try ProxyRow(row)))
        }
        let isComplete = entries.count < limit
        return FeedPage(
            after: after, revision: isComplete ? upTo : entries.last?.revision ?? upTo, entries: entries,
            isComplete: isComplete)
    }

    /// Forgets which proxies were forgotten, longer than `age` ago.
    func compactProxyFeeds(olderThan age: Duration) async throws(StoreError) {
        _ = try await rows(
            """
            WITH gone AS (
                DELETE FROM forgotten_proxy WHERE at < now() - make_interval(secs => \(Double(age.components.seconds)))
                RETURNING tenant, mesh, revision)
            UPDATE proxy_feed f SET compacted = greatest(compacted, last)
              FROM (SELECT tenant, mesh, max(revision) AS last FROM gone GROUP BY tenant, mesh) AS old
             WHERE f.tenant = old.tenant AND f.mesh = old.mesh
            """, seeing: .all)
    }
}
