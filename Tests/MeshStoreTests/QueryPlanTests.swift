import MeshCore
import MeshModel
import Postgres
import TestSupport
import Testing

@testable import MeshStore

/// Row-level security may keep a condition from using an index, because conditions that could leak rows come after it.
@Suite("Plans of queries under row-level security")
struct QueryPlanTests {
    @Test(
        "one object, some objects, lists, and the mesh of a replica are found by an index that begins with the tenant")
    func objects() async throws {
        try await withStore { store async throws in
            let key = ObjectRow(.service("a"))
            var page = ListQuery(kind: .service, tenant: .acme, mesh: .defaultMesh, namespace: .shop)
            page.after = PageCursor(parts: ["acme", "default", "shop", "", "a"])
            let statements: [Statement] = [
                "SELECT 1 FROM object WHERE \(key.predicate)", ObjectRow.select([key.key], tenant: .acme),
                try ObjectRow.select(page), "SELECT 1 FROM object WHERE tenant = 'acme' AND mesh = 'default'",
                "SELECT 1 FROM change WHERE tenant = 'acme' AND mesh = 'default' AND revision > 5 ORDER BY revision",
            ]
            for statement in statements {
                let plan = try await store.plan(of: statement)
                #expect(
                    plan.contains { $0.contains("Index Cond") && $0.contains("tenant") },
                    "\(plan.joined(separator: "\n"))")
            }
        }
    }

    @Test("whether anything of a mesh is refused is asked of an index that has only what is refused")
    func refusals() async throws {
        try await withStore { store in
            let plan = try await store.plan(of: try MeshStore.selectWithRefusal(.service("a")))
            #expect(plan.contains { $0.contains("proxy_rejecting") }, "\(plan.joined(separator: "\n"))")
        }
    }

    @Test("freeze windows are found among those that have begun, whatever else is stored of them")
    func freezes() async throws {
        try await withStore { store in
            let service = NamespacedName(namespace: .shop, name: name("a"))
            let plan = try await store.plan(of: MeshStore.freezes(of: service, in: .acme))
            let conditions = plan.indices.filter { plan[$0].contains("freeze_occurrence_begun") }.map { plan[$0 + 1] }
            #expect(
                conditions.count == 1 && conditions[0].contains("tenant")
                    && conditions[0].contains("starts_at <= now()")
                    && !plan.contains { $0.contains("Seq Scan") }, "\(plan.joined(separator: "\n"))")
        }
    }

    @Test("a page of a list is read in the order of the index, without sorting the rest")
    func pages() async throws {
        try await withStore { store in
            let query = ListQuery(kind: .service, tenant: .acme, mesh: .defaultMesh)
            let plan = try await store.plan(of: try ObjectRow.select(query))
            // What its bytes are counted over is the page, which stands above the limit.
            let rows = plan.drop { !$0.contains("Limit") }
            #expect(!rows.isEmpty && !rows.contains { $0.contains("Sort") }, "\(plan.joined(separator: "\n"))")
        }
    }
}

extension MeshStore {
    /// How the statement would be run if tables were too large to be read from one end to the other.
    fileprivate func plan(of statement: Statement) async throws -> [String] {
        let results = try await pool.pipeline([
            Visibility.tenant(.acme).statement, "SET LOCAL enable_seqscan = off", "SET LOCAL enable_bitmapscan = off",
            "EXPLAIN \(statement)",
        ])
        return try results[3].map { try $0[0, as: String.self] }
    }
}
