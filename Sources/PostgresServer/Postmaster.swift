internal import Foundation
internal import Glibc

/// The running main process of a cluster, as its lock file and `/proc` tell.
struct Postmaster: Sendable, Hashable {
    let processID: Int32
    private let directory: String

    /// The postmaster of `cluster`, if it runs.
    ///
    /// The process must have the cluster as its working directory, which the postmaster enters first and nobody else
    /// does; so another process that got the number of a dead one is not mistaken for it, and neither is a zombie.
    init?(of cluster: String) {
        guard let processID = Self.recordedProcessID(cluster) else { return nil }
        self.processID = processID
        directory = cluster.resolved
        if !isRunning { return nil }
    }

    /// Whether it accepts connections: the eighth line of the lock file (PostgreSQL `pidfile.h`).
    static func isReady(_ cluster: String) -> Bool {
        let lines = lockFileLines(cluster)
        return lines.count > 7 && lines[7].hasPrefix("ready")
    }

    /// Removes lock files whose process number now belongs to somebody else or to a zombie; PostgreSQL would take
    /// either for a running postmaster. A number that is free it handles itself. That no orphaned backend still uses
    /// the cluster is checked by PostgreSQL through its shared memory.
    static func removeMisleadingLocks(_ layout: Layout) {
        guard Postmaster(of: layout.cluster) == nil else { return }
        for path in [layout.cluster + "/postmaster.pid", layout.socketLock] {
            let recorded = lines(path).first.flatMap { Int32($0) } ?? 0
            guard recorded > 1, kill(recorded, 0) == 0 || errno == EPERM else { continue }
            try? FileManager.default.removeItem(atPath: path)
        }
    }

    /// Whether it still does. One system call.
    var isRunning: Bool { Self.workingDirectory(processID) == directory }

    func signal(_ number: Int32) { kill(processID, number) }

    private static func recordedProcessID(_ cluster: String) -> Int32? {
        lockFileLines(cluster).first.flatMap { Int32($0) }.flatMap { $0 > 1 ? $0 : nil }
    }

    private static func lockFileLines(_ cluster: String) -> [Substring] { lines(cluster + "/postmaster.pid") }

    private static func lines(_ path: String) -> [Substring] {
        let text = (try? String(contentsOfFile: path, encoding: .utf8)) ?? ""
        return text.split(separator: "\n", omittingEmptySubsequences: false)
    }

    /// `nil` for a process that does not exist or is a zombie.
    private static func workingDirectory(_ processID: Int32) -> String? {
        try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/\(processID)/cwd")
    }
}

extension String {
    fileprivate var resolved: String {
        let path = URL(filePath: self).resolvingSymlinksInPath().path(percentEncoded: false)
        return path.count > 1 && path.hasSuffix("/") ? String(path.dropLast()) : path
    }
}
