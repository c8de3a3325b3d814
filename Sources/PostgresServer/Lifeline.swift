internal import Foundation
internal import Glibc
internal import Subprocess
internal import SystemPackage

/// Ties a temporary server to this process: a watchdog reads from a pipe, and when the last writer has gone, by
/// intention or by `SIGKILL`, it ends the server and removes its directories.
final class Lifeline: Sendable {
    private let writeEnd: FileDescriptor

    /// `$1` is the base, `$2` the socket directory. The working directory proves that the number in the lock file is
    /// the server's. `exec 3<&0` because a shell gives background commands an empty input.
    private static let script = """
        exec 3<&0 </dev/null
        (
            trap '' HUP INT TERM
            cat <&3 >/dev/null
            for attempt in 1 2 3 4 5 6 7 8 9 10; do
                pid=$(head -n 1 "$1/postgres/postmaster.pid" 2>/dev/null)
                if [ -n "$pid" ] && [ "$(readlink "/proc/$pid/cwd")" = "$1/postgres" ]; then
                    kill -QUIT "$pid"
                    while [ "$(readlink "/proc/$pid/cwd")" = "$1/postgres" ]; do sleep 0.05; done
                fi
                rm -rf -- "$1" "$2"
                # A server that was still being started comes up a little later, and its files with it.
                sleep 0.2
                [ -e "$1" ] || exit 0
            done
        ) >/dev/null 2>&1 &
        """

    init(layout: Layout) async throws {
        let pipe = try FileDescriptor.pipe()
        writeEnd = pipe.writeEnd
        // Or other children of this process would keep the pipe open after its end.
        _ = fcntl(pipe.writeEnd.rawValue, F_SETFD, FD_CLOEXEC)
        var platform = PlatformOptions()
        platform.createSession = true
        let result = try await Subprocess.run(
            .name("sh"), arguments: ["-c", Self.script, "postgres-watchdog", layout.base, layout.socketDirectory],
            workingDirectory: "/", platformOptions: platform,
            input: .fileDescriptor(pipe.readEnd, closeAfterSpawningProcess: true), output: .discarded,
            error: .discarded)
        guard result.terminationStatus.isSuccess else { throw PostgresServerError("cannot start the watchdog") }
    }

    deinit { try? writeEnd.close() }
}
