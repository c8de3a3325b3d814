import Postgres

/// What the database says of its own schema, a line for each thing.
struct Catalog {
    let pool: Pool

    /// `table.column type`, with what else was said of the column.
    func columns() async throws -> [String] {
        try await lines(
            """
            SELECT format('%s.%s %s%s%s%s', c.relname, a.attname, format_type(a.atttypid, a.atttypmod),
                          CASE WHEN a.attnotnull THEN ' not null' ELSE '' END,
                          CASE WHEN a.attidentity <> '' THEN ' identity' ELSE '' END,
                          CASE WHEN a.attgenerated <> ''
                               THEN ' generated '
                                    || btrim(regexp_replace(pg_get_expr(d.adbin, d.adrelid), '[[:space:]]+', ' ', 'g'))
                               ELSE ' default ' || pg_get_expr(d.adbin, d.adrelid) END) AS line
              FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace AND n.nspname = 'public'
              JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
              LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
             WHERE c.relkind = 'r'
             ORDER BY c.relname COLLATE "C", a.attnum
            """)
    }

    /// `table: definition` of primary and foreign keys, checks and unique constraints; domains' checks too.
    func constraints() async throws -> [String] {
        try await lines(
            """
            SELECT coalesce(nullif(conrelid, 0)::regclass::text, contypid::regtype::text) || ': '
                   || pg_get_constraintdef(k.oid) AS line
              FROM pg_constraint k JOIN pg_namespace n ON n.oid = k.connamespace AND n.nspname = 'public'
             ORDER BY 1
            """)
    }

    /// The indexes that no constraint brings with it.
    func indexes() async throws -> [String] {
        try await lines(
            """
            SELECT pg_get_indexdef(i.indexrelid) AS line
              FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
              JOIN pg_namespace n ON n.oid = c.relnamespace AND n.nspname = 'public'
             WHERE NOT EXISTS (SELECT 1 FROM pg_constraint k WHERE k.conindid = i.indexrelid)
             ORDER BY 1
            """)
    }

    /// The first columns of every unique index, `table: column, column…`.
    func uniqueKeys() async throws -> [String] {
        try await lines(
            """
            SELECT i.indrelid::regclass || ': ' || string_agg(a.attname, ', ' ORDER BY k.position) AS line
              FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid
              JOIN pg_namespace n ON n.oid = c.relnamespace AND n.nspname = 'public'
              CROSS JOIN LATERAL unnest(i.indkey::int2[]) WITH ORDINALITY AS k (attnum, position)
              JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.attnum
             WHERE i.indisunique
             GROUP BY i.indexrelid, i.indrelid
             ORDER BY 1
            """)
    }

    /// Tables that have row-level security, enabled and forced, with exactly the one policy that goes by the tenant.
    func protectedTables() async throws -> [String] {
        try await lines(
            """
            SELECT c.relname::text AS line FROM pg_class c
              JOIN pg_policy p ON p.polrelid = c.oid
             WHERE c.relrowsecurity AND c.relforcerowsecurity
             GROUP BY c.oid, c.relname
            HAVING count(*) = 1
               AND bool_and(p.polcmd = '*' AND p.polpermissive AND p.polroles = '{0}'
                            AND pg_get_expr(p.polqual, c.oid) IN ('visible_tenant((tenant)::text)', 'visible_tenant(tenant)')
                            AND pg_get_expr(p.polwithcheck, c.oid) = pg_get_expr(p.polqual, c.oid))
             ORDER BY c.relname COLLATE "C"
            """)
    }

    /// Tables with a column `tenant`.
    func tenantTables() async throws -> [String] {
        try await lines(
            """
            SELECT table_name::text AS line FROM information_schema.columns
             WHERE table_schema = 'public' AND column_name = 'tenant' ORDER BY table_name COLLATE "C"
            """)
    }

    private func lines(_ statement: Statement) async throws -> [String] {
        try await pool.query(statement).map { try $0["line", as: String.self] }
    }
}
