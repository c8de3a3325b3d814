internal import CMalloc
internal import Foundation
internal import Logging
internal import MeshModel

/// Returns to the system what the heap holds and nobody uses, so that a replica does not keep for ever the size of its busiest
/// minute.
///
/// glibc returns what is free at the end of an arena only: a block that stays, such as a connection, keeps all that is free
/// before it. `malloc_trim(3)` returns free pages wherever they are. They are missed when they are needed again, and what
/// allocates meanwhile waits some milliseconds, so it is called after peaks only (``PeakDetector``).
struct HeapTrimmer {
    static let interval = Duration.seconds(10)

    let logger: Logger

    func run() async throws {
        var detector = PeakDetector()
        while true {
            try await Task.sleep(for: Self.interval)
            guard let memory = Self.privateMemory, detector.isAfterPeak(memory) else { continue }
            let start = ContinuousClock.now
            malloc_trim(0)
            let time = ContinuousClock.now - start
            guard let left = Self.privateMemory else { continue }
            detector.trimmed(to: left)
            logger.info(
                "returned unused memory",
                metadata: ["bytesBefore": "\(memory)", "bytesAfter": "\(left)", "microseconds": "\(time.microseconds)"])
        }
    }

    /// The resident memory that is no file's and nobody else's, in bytes; `nil` if the system does not say (proc(5), `statm`).
    private static var privateMemory: Int? {
        guard let text = try? String(contentsOfFile: "/proc/self/statm", encoding: .utf8) else { return nil }
        let pages = text.split(separator: " ").compactMap { Int($0) }
        return pages.count > 2 ? (pages[1] - pages[2]) * sysconf(Int32(_SC_PAGESIZE)) : nil
    }
}

/// Tells from how much memory a process has, at regular looks, when a peak is over.
///
/// Memory that is in use grows too, and there is no cheap way to tell it from what is only held. So each growth by a quarter is
/// taken for a peak, once: what is left after trimming is what the next growth is measured by.
struct PeakDetector {
    /// Less is not worth it, in bytes.
    static let least = 16 << 20

    private var kept = 0
    private var last: Int?

    /// - Parameter memory: what there is now, in bytes.
    /// - Returns: whether there is more than was left by the last trimming by a quarter, and by ``least``, and it no longer
    ///   grows by much: what still grows is at work.
    mutating func isAfterPeak(_ memory: Int) -> Bool {
        defer { last = memory }
        guard let last, memory - last < Self.least / 16 else { return false }
        return memory - kept >= max(Self.least, kept / 4)
    }

    mutating func trimmed(to memory: Int) {
        kept = memory
        last = memory
    }
}
