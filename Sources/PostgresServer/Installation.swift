internal import Foundation

/// PostgreSQL's programs on this machine.
struct Installation: Sendable {
    /// Holds `initdb`, `pg_ctl` and `postgres`.
    let directory: String

    func program(_ name: String) -> String { directory + "/" + name }

    /// Looks in `PATH`, then where Debian puts PostgreSQL, highest version first. What `pg_config --bindir` would print
    /// is one of these, or has been put on `PATH`.
    ///
    /// - Throws: a message that says what to install.
    static func find(searchPath: [String]? = nil) throws(PostgresServerError) -> Installation {
        for directory in searchPath ?? pathDirectories() + debianDirectories() {
            // `initdb` needs `postgres` beside itself, so links are followed to the real directory.
            let real = URL(filePath: directory + "/initdb").resolvingSymlinksInPath().deletingLastPathComponent().path(
                percentEncoded: false)
            let trimmed = real.count > 1 && real.hasSuffix("/") ? String(real.dropLast()) : real
            let programs = ["initdb", "pg_ctl", "postgres"].map { trimmed + "/" + $0 }
            if programs.allSatisfy(FileManager.default.isExecutableFile(atPath:)) {
                return Installation(directory: trimmed)
            }
        }
        throw PostgresServerError(
            "PostgreSQL was not found, so there is no database to start. Install it with `apt-get install postgresql`, "
                + "or name a database of your own by its URL.")
    }

    private static func pathDirectories() -> [String] {
        (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":").map(String.init)
    }

    private static func debianDirectories() -> [String] {
        let root = "/usr/lib/postgresql"
        let versions = (try? FileManager.default.contentsOfDirectory(atPath: root)) ?? []
        return versions.compactMap(Int.init).sorted(by: >).map { "\(root)/\($0)/bin" }
    }
}
