// Whose `timespec` is, Dispatch's or the C library's, depends on what the compiler has loaded first: in release it is this one's.
internal import CDispatch
internal import Foundation
internal import MeshLab

/// What the kernel says a process has used.
struct ProcessUsage {
    /// User and system time, in seconds, to the nanosecond: `/proc/<pid>/stat` counts in hundredths, which is more than a push
    /// to a hundred proxies takes.
    var cpu: Double
    /// Resident memory, in bytes.
    var resident: Int

    static var ofThisProcess: ProcessUsage {
        get throws { try ProcessUsage(pid: getpid()) }
    }

    /// - Throws: if there is no such process.
    init(pid: Int32) throws {
        var clock = clockid_t()
        var time = timespec()
        guard unsafe clock_getcpuclockid(pid, &clock) == 0, unsafe clock_gettime(clock, &time) == 0 else {
            throw LabError("there is no process \(pid)")
        }
        cpu = Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
        let memory = try String(contentsOfFile: "/proc/\(pid)/statm", encoding: .utf8).split(separator: " ")
        resident = (memory.count > 1 ? Int(memory[1]) ?? 0 : 0) * sysconf(Int32(_SC_PAGESIZE))
    }
}
