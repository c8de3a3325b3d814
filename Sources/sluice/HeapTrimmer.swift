internal import CMalloc
internal import Foundation
internal import Logging
internal import MeshCore

/// Returns to the system what the heap holds and nobody uses, so that a replica does not keep for ever the size of its busiest
/// minute.
///
/// glibc returns what is free at the end of an arena only: a block that stays, such as a connection, keeps all that is free
/// before it. `malloc_trim(3)` returns free pages wherever they are. They are missed when they are needed again, and what
/// allocates meanwhile waits some milliseconds, so it is called after peaks, and seldom else (``TrimSchedule``).
struct HeapTrimmer {
    private static let interval = Duration.seconds(10)

    let logger: Logger

    func run() async throws {
        var schedule = TrimSchedule()
        while true {
            try await Task.sleep(for: Self.interval)
            guard let memory = Self.privateMemory, schedule.isDue(memory) else { continue }
            let start = ContinuousClock.now
            malloc_trim(0)
            let time = ContinuousClock.now - start
            guard let left = Self.privateMemory else { continue }
            schedule.trimmed(to: left)
            guard memory - left >= TrimSchedule.least else { continue }
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

/// When to trim, told from how much memory there is at regular looks.
///
/// There is no cheap way to tell memory that is in use from what is only held. So each growth by a quarter is taken for a peak,
/// once: what is left after trimming is what the next growth is measured by. And as what was in use then may have become free
/// since, without any growth, it is time again after ``mostLooks``.
struct TrimSchedule {
    /// Growth by less is no peak, in bytes.
    static let least = 16 << 20
    /// The most looks from one trimming to the next.
    static let mostLooks = 60

    private var kept = 0
    private var last: Int?
    private var looks = 0

    /// - Parameter memory: what there is now, in bytes.
    /// - Returns: whether there is more than was left by the last trimming by a quarter, and by ``least``, and it no longer
    ///   grows by much (what still grows is at work); or whether that was long ago.
    mutating func isDue(_ memory: Int) -> Bool {
        defer { last = memory }
        looks += 1
        if looks >= Self.mostLooks { return true }
        guard let last, memory - last < Self.least / 16 else { return false }
        return memory - kept >= max(Self.least, kept / 4)
    }

    mutating func trimmed(to memory: Int) {
        kept = memory
        last = memory
        looks = 0
    }
}
