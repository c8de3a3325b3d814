internal import Subprocess
internal import SystemPackage

/// Runs a program as an account and waits for its end.
struct Program: Sendable {
    let account: Account

    /// - Returns: what it printed, standard output and error together.
    /// - Throws: ``PostgresServerError`` with that text if it fails.
    @discardableResult
    func run(_ path: String, _ arguments: [String], input: String = "") async throws -> String {
        let command = changingUser + [path] + arguments
        guard let program = command.first else { return "" }
        let executable: Executable = account.isForeign ? .name(program) : .path(FilePath(program))
        // The account may not be allowed into our own working directory.
        let result = try await Subprocess.run(
            executable, arguments: Arguments(Array(command.dropFirst())),
            environment: .inherit.updating(Self.environment), workingDirectory: "/",
            input: .string(input), output: .string(limit: 1 << 20), error: .combinedWithOutput)
        guard result.terminationStatus.isSuccess else {
            throw PostgresServerError(
                "\(path) failed (\(result.terminationStatus)): \(result.standardOutput.suffix(2000))")
        }
        return result.standardOutput
    }

    /// Our own secrets stay with us: whoever is superuser of another cluster of the account can read what this one was given.
    private static let environment: [Environment.Key: String?] = [
        "LC_ALL": "C", "PGDATA": nil, "PGOPTIONS": nil, "PGPASSWORD": nil, "SLUICE_ADMIN_TOKEN": nil,
        "SLUICE_DATABASE_URL": nil,
    ]

    /// `setpriv` of util-linux, which every Debian has, and not `PlatformOptions.userID`: swift-subprocess 1.0.2 forks
    /// by a raw `clone3` and then calls glibc's `setgroups`, which in the copy of a process with several threads waits
    /// for ever for the threads that were not copied.
    private var changingUser: [String] {
        guard account.isForeign else { return [] }
        return ["setpriv", "--reuid=\(account.userID)", "--regid=\(account.groupID)", "--clear-groups", "--"]
    }
}
