internal import Glibc

/// Says that this process, and no other, looks after a data directory, until the last reference goes or the process ends,
/// however that ends.
package final class DirectoryLock: Sendable {
    private let descriptor: Int32

    /// Takes the lock: `flock(2)` on the file `sluice.lock`, which also says who has it.
    ///
    /// - Throws: ``DirectoryInUse`` if another process has it; ``PostgresServerError`` if it cannot be had at all.
    package init(_ directory: String) throws {
        let path = directory + "/sluice.lock"
        // Not for the programs that are started from here: they would keep it after our end.
        descriptor = unsafe open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else {
            throw PostgresServerError("cannot open \(path): \(PostgresServerError.reason(errno))")
        }
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            // It is closed by `deinit`, which runs where all properties are set. Closed twice it might be somebody else's.
            let (reason, owner) = (errno, Self.owner(descriptor))
            guard reason == EWOULDBLOCK else {
                throw PostgresServerError("cannot lock \(path): \(PostgresServerError.reason(reason))")
            }
            throw DirectoryInUse(directory: directory, owner: owner)
        }
        let text = Array("\(getpid())\n".utf8)
        _ = ftruncate(descriptor, 0)
        _ = unsafe text.withUnsafeBytes { unsafe pwrite(descriptor, $0.baseAddress, $0.count, 0) }
    }

    deinit { close(descriptor) }

    /// Takes the lock, if need be after a moment: a short command may have it.
    ///
    /// - Parameters:
    ///   - limit: how long to wait at most.
    ///   - onWaiting: called once if somebody has it.
    /// - Throws: as ``init(_:)``.
    package static func waiting(
        for directory: String, atMost limit: Duration, onWaiting: (DirectoryInUse) -> Void
    ) async throws -> DirectoryLock {
        let deadline = ContinuousClock.now + limit
        var isWaiting = false
        while true {
            do {
                return try DirectoryLock(directory)
            } catch let error as DirectoryInUse {
                guard ContinuousClock.now < deadline else { throw error }
                if !isWaiting { onWaiting(error) }
                isWaiting = true
                try await Task.sleep(for: .milliseconds(50))
            }
        }
    }

    /// The process that has written itself into the file.
    private static func owner(_ descriptor: Int32) -> Int32? {
        var bytes = [UInt8](repeating: 0, count: 32)
        let count = unsafe bytes.withUnsafeMutableBytes { unsafe pread(descriptor, $0.baseAddress, $0.count, 0) }
        guard count > 0 else { return nil }
        return Int32(String(decoding: bytes.prefix(count).prefix { $0 != 0x0A }, as: UTF8.self))
    }
}

/// Another process looks after a data directory.
package struct DirectoryInUse: Error, Hashable, Sendable, CustomStringConvertible {
    package let directory: String
    /// Its id, if it has said so.
    package let owner: Int32?

    package var description: String {
        "the data directory \(directory) is in use by another Sluice\(owner.map { " (process \($0))" } ?? ""). Stop that "
            + "one first, choose another directory with --data-dir, or name a database with --database-url; replicas "
            + "share a database, not a directory"
    }
}
