/// The settings of every command that uses the database.
enum DatabaseSettings: SettingList {
    static let all: [any DeclaredSetting] = [url, dataDirectory]

    /// Secret because it may have a password in it.
    static let url = Setting<String?>(
        "database-url",
        """
        PostgreSQL to use, as a connection URL or string. Without it, a private PostgreSQL is started in the data directory.
        """,
        isSecret: true,
        must: """
            be a URL such as postgresql://ROLE@HOST/DATABASE or a string such as "host=HOST user=ROLE dbname=DATABASE"
            """
    ) {
        // libpq takes a text that is neither for the name of a database on this machine, and the server would wait for that one.
        $0.prefixMatch(of: /postgres(ql)?:\/\/|\s*[a-z_]+\s*=/) == nil ? nil : $0
    }

    static let dataDirectory = Setting(
        "data-dir", "Where a private PostgreSQL keeps its data.", default: ".sluice", must: "be a path"
    ) { $0 }
}
