package import Postgres

/// Whether row-level security, the second lock between tenants, binds the role that the server uses.
///
/// PostgreSQL turns it off without a word for superusers, for roles with BYPASSRLS, and for the owner of a table that does not
/// force it (PostgreSQL 5.9); everything works then, and the lock is open.
package struct RowSecurity: Sendable {
    /// Why the database is not used, and what to do about it.
    package enum Breach: Error, Equatable, CustomStringConvertible {
        case role(String, right: String)
        case tables([String], role: String)
        case leak([String])

        package var description: String {
            switch self {
            case .role(let role, let right):
                """
                the database role "\(role)" is \(right), so row-level security, which keeps tenants apart, does not bind it. \
                Use a role of its own that owns the database, and name it in --database-url (SLUICE_DATABASE_URL): \
                CREATE ROLE sluice LOGIN PASSWORD '...' NOSUPERUSER NOBYPASSRLS; ALTER DATABASE ... OWNER TO sluice; and if \
                Sluice used the database before: ALTER TABLE, TYPE and FUNCTION ... OWNER TO sluice for what it made
                """
            case .tables(let tables, let role):
                """
                row-level security, which keeps tenants apart, does not bind the role "\(role)" on \
                \(tables.joined(separator: ", ")): ALTER TABLE ... ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY
                """
            case .leak(let tables):
                """
                row-level security does not keep tenants apart: rows of \(tables.joined(separator: ", ")) are seen by a \
                session of no tenant. The policies are not those of the migrations
                """
            }
        }
    }

    private let pool: Pool

    package init(pool: Pool) { self.pool = pool }

    /// Looks at the role alone, before anything is made as it.
    package func checkRole() async throws {
        let row = try await pool.query(
            "SELECT rolname::text AS name, rolsuper, rolbypassrls FROM pg_roles WHERE rolname = current_user"
        ).first
        guard let row else { return }
        let name: String = try row["name"]
        if try row["rolsuper"] { throw Breach.role(name, right: "a superuser") }
        if try row["rolbypassrls"] { throw Breach.role(name, right: "allowed to go around it (BYPASSRLS)") }
    }

    /// Looks at every table that has tenants: whether the policies hold for the role, and whether a session of no tenant
    /// really sees nothing.
    package func checkTables() async throws {
        let rows = try await pool.query(
            """
            SELECT c.relname::text AS name, row_security_active(c.oid) AS is_active, current_user::text AS role
              FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'tenant' AND NOT a.attisdropped
             WHERE c.relkind IN ('r', 'p') AND c.relnamespace = current_schema()::regnamespace
             ORDER BY c.relname
            """)
        var (tables, open, role) = ([String](), [String](), "")
        for row in rows {
            let name: String = try row["name"]
            tables.append(name)
            if try !row["is_active", as: Bool.self] { open.append(name) }
            role = try row["role"]
        }
        guard open.isEmpty else { throw Breach.tables(open, role: role) }
        // No tenant can have this name.
        let looks = tables.map { "SELECT EXISTS (SELECT FROM \(identifier: SQLIdentifier($0))) AS seen" as Statement }
        let results = try await pool.pipeline(["SELECT set_config('sluice.tenant', '-', true)"] + looks).dropFirst()
        let seen = try zip(tables, results).filter { try $0.1.first?["seen", as: Bool.self] == true }.map(\.0)
        guard seen.isEmpty else { throw Breach.leak(seen) }
    }
}
