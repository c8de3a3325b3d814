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
                row-level security does not keep tenants apart on \(tables.joined(separator: ", ")): the policies are not \
                those of the migrations, or a session of no tenant sees rows
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

    /// Looks at every table that has tenants: whether the policies hold for the role, and let it see and write rows of the
    /// session's tenant only. That a session of no tenant sees nothing is tried on one small table: rows of the others are
    /// without bounds, and all would have to be read to find none.
    package func checkTables() async throws {
        let rows = try await pool.query(
            """
            SELECT c.relname::text AS name, row_security_active(c.oid) AS is_active, current_user::text AS role,
                   coalesce(bool_or(p.is_whole AND p.is_confined), false) AND bool_and(p.is_confined) AS is_confined
              FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'tenant' AND NOT a.attisdropped
              LEFT JOIN LATERAL (\(Self.policies)) p ON true
             WHERE c.relkind IN ('r', 'p') AND c.relnamespace = current_schema()::regnamespace
             GROUP BY c.oid, c.relname ORDER BY c.relname
            """)
        var (open, leaking, role) = ([String](), [String](), "")
        for row in rows {
            let name: String = try row["name"]
            if try !row["is_active", as: Bool.self] { open.append(name) }
            if try row["is_confined", as: Bool?.self] != true { leaking.append(name) }
            role = try row["role"]
        }
        guard open.isEmpty else { throw Breach.tables(open, role: role) }
        guard leaking.isEmpty else { throw Breach.leak(leaking) }
        // No tenant can have this name.
        let seen = try await pool.pipeline([
            "SELECT set_config('sluice.tenant', '-', true)", "SELECT EXISTS (SELECT FROM mesh) AS seen",
        ])
        if try seen[1].first?["seen", as: Bool.self] == true { throw Breach.leak(["mesh"]) }
    }

    /// The permissive policies of `pg_class c` that hold for the role, of which each opens more: whether one is about every
    /// command, and whether it opens rows of the session's tenant only. An expression that is missing opens nothing, except
    /// that USING stands for the CHECK of all commands.
    private static let policies: Statement = #"""
        SELECT polcmd = '*' AND polqual IS NOT NULL AS is_whole,
               coalesce(pg_get_expr(polqual, polrelid) ~ confined, true)
               AND coalesce(pg_get_expr(polwithcheck, polrelid) ~ confined, true) AS is_confined
          FROM pg_policy, (VALUES ('^([a-z_]+\.)?visible_tenant\(\(*tenant\)*(::text)?\)$')) AS pattern (confined)
         WHERE polrelid = c.oid AND polpermissive
           AND EXISTS (SELECT FROM unnest(polroles) AS r (role)
                        WHERE role = 0 OR pg_has_role(current_user, role, 'MEMBER'))
        """#
}
