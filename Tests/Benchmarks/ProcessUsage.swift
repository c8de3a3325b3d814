internal import Foundation

/// What the kernel says a process has used (`proc(5)`).
struct ProcessUsage {
    /// User and system time, in seconds.
    var cpu: Double
    /// Resident memory, in bytes.
    var resident: Int

    static var ofThisProcess: ProcessUsage {
        get throws { try ProcessUsage(pid: getpid()) }
    }

    /// - Throws: if there is no such process.
    init(pid: Int32) throws {
        let stat = try String(contentsOfFile: "/proc/\(pid)/stat", encoding: .utf8)
        // The second field is the program's name in parentheses, which may contain anything.
        let fields = stat[(stat.lastIndex(of: ")") ?? stat.startIndex)...].split(separator: " ").dropFirst()
        let ticks = fields.dropFirst(11).prefix(2).compactMap { Double($0) }.reduce(0, +)
        cpu = ticks / Double(sysconf(Int32(_SC_CLK_TCK)))
        let memory = try String(contentsOfFile: "/proc/\(pid)/statm", encoding: .utf8).split(separator: " ")
        resident = (memory.count > 1 ? Int(memory[1]) ?? 0 : 0) * sysconf(Int32(_SC_PAGESIZE))
    }
}
