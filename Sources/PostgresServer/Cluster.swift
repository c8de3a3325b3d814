internal import Foundation

/// Makes a cluster and writes its settings. The files only; ``PostgresServer`` runs it.
struct Cluster: Sendable {
    let installation: Installation
    let account: Account
    let layout: Layout
    let options: PostgresServerOptions

    static let role = "sluice"
    static let database = "sluice"

    /// Makes the cluster if there is none, whole or not at all: it is made beside its place and then renamed, so a
    /// crash half-way leaves something that the next start throws away.
    ///
    /// Each attempt has a place of its own. Programs that a killed Sluice had started may still be at work in theirs.
    func makeIfMissing() async throws {
        let files = FileManager.default
        if !files.fileExists(atPath: layout.base) {
            // The account must be able to pass through a directory that root makes.
            try files.createDirectory(
                atPath: layout.base, withIntermediateDirectories: true,
                attributes: [.posixPermissions: account.isForeign ? 0o711 : 0o700])
        }
        try account.makePrivateDirectory(layout.socketDirectory)
        removeUnfinished()
        guard !files.fileExists(atPath: layout.cluster + "/PG_VERSION") else { return }
        let place = layout.unfinished + "." + String(UInt32.random(in: 0 ... .max), radix: 36)
        try account.makePrivateDirectory(place)
        let program = Program(account: account)
        try await program.run(
            installation.program("initdb"),
            [
                "--pgdata", place, "--username", "postgres", "--auth", "trust", "--encoding", "UTF8",
                "--locale", "C", "--no-instructions",
            ] + (options.isDurable ? [] : ["--no-sync"]))
        try append("include 'sluice.conf'\n", to: place + "/postgresql.conf")
        try writeSettings(in: place)
        // Single-user mode takes one command a line; so the role exists before anybody can connect.
        let rights = options.mayCreateDatabases ? "CREATEDB" : "NOCREATEDB"
        try await program.run(
            installation.program("postgres"), ["--single", "-j", "-D", place, "postgres"],
            input: """
                CREATE ROLE \(Self.role) LOGIN NOSUPERUSER NOCREATEROLE NOBYPASSRLS \(rights);

                CREATE DATABASE \(Self.database) OWNER \(Self.role);


                """)
        try files.moveItem(atPath: place, toPath: layout.cluster)
    }

    /// Throws away what earlier attempts left. What somebody still writes into stays until the next start.
    private func removeUnfinished() {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: layout.base)) ?? []
        for name in names where (layout.base + "/" + name).hasPrefix(layout.unfinished) {
            try? FileManager.default.removeItem(atPath: layout.base + "/" + name)
        }
    }

    /// Brings the settings up to date with the options, for the next start.
    func writeSettings() throws { try writeSettings(in: layout.cluster) }

    private func writeSettings(in directory: String) throws {
        let path = directory + "/sluice.conf"
        try settings.write(toFile: path, atomically: true, encoding: .utf8)
        var attributes: [FileAttributeKey: Any] = [.posixPermissions: 0o600]
        if account.isForeign {
            attributes[.ownerAccountID] = NSNumber(value: account.userID)
            attributes[.groupOwnerAccountID] = NSNumber(value: account.groupID)
        }
        try FileManager.default.setAttributes(attributes, ofItemAtPath: path)
    }

    private func append(_ text: String, to path: String) throws {
        guard let file = FileHandle(forWritingAtPath: path) else { throw PostgresServerError("cannot write \(path)") }
        defer { try? file.close() }
        try file.seekToEnd()
        try file.write(contentsOf: Data(text.utf8))
    }

    /// Only a socket in a directory that nobody else can enter, so `trust` trusts the account and root alone.
    private var settings: String {
        """
        # Written by Sluice at every start; changes are lost.
        listen_addresses = ''
        unix_socket_directories = '\(layout.socketDirectory)'
        unix_socket_permissions = 0700
        max_connections = 100
        shared_buffers = 128MB
        dynamic_shared_memory_type = mmap
        work_mem = 8MB
        jit = off
        timezone = 'UTC'
        log_timezone = 'UTC'
        wal_level = minimal
        max_wal_senders = 0
        max_wal_size = 512MB
        logging_collector = \(options.isDurable ? "on" : "off")
        log_filename = 'postgresql-%a.log'
        log_truncate_on_rotation = on
        fsync = \(options.isDurable ? "on" : "off")
        full_page_writes = \(options.isDurable ? "on" : "off")

        """
    }
}
