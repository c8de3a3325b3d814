internal import Foundation
internal import Synchronization

/// A program that was started here and is ended here, by its pid only.
package final class ChildProcess: Sendable {
    package let name: String
    package let pid: Int32
    /// The destination of the program's standard output and error.
    package let log: String
    private let exit: ExitStatus

    /// Starts a program.
    ///
    /// - Parameters:
    ///   - executable: an absolute path.
    ///   - environment: added to this process's own environment.
    ///   - log: the file that its output is appended to.
    package init(
        name: String, executable: String, arguments: [String], environment: [String: String] = [:], log: String
    ) throws {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: executable)
        process.arguments = arguments
        process.environment = ProcessInfo.processInfo.environment.merging(environment) { _, new in new }
        if !FileManager.default.fileExists(atPath: log) {
            try Data().write(to: URL(fileURLWithPath: log))
        }
        let output = try FileHandle(forWritingTo: URL(fileURLWithPath: log))
        // Pipes and devices have no end to go to.
        _ = try? output.seekToEnd()
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = output
        process.standardError = output
        let exit = ExitStatus()
        process.terminationHandler = { exit.set($0.terminationStatus) }
        do {
            try process.run()
        } catch {
            throw LabError("cannot start \(executable): \(error)")
        }
        try? output.close()
        self.name = name
        self.log = log
        self.pid = process.processIdentifier
        self.exit = exit
    }

    package var isRunning: Bool { exit.value == nil }

    /// The exit code, or the signal's number, once the program has ended.
    package var exitCode: Int32? { exit.value }

    /// Sends a signal, for example `SIGKILL`; nothing happens if the program has ended.
    package func signal(_ number: Int32) {
        if isRunning { kill(pid, number) }
    }

    /// Asks the program to end (SIGTERM), insists after `grace` (SIGKILL), and waits until it has ended.
    ///
    /// Also works in a cancelled task, which is where things are cleaned up after Ctrl-C.
    package func stop(grace: Duration = .seconds(10)) async {
        signal(SIGTERM)
        await waitForExit(atMost: grace)
        signal(SIGKILL)
        await waitForExit(atMost: .seconds(5))
    }

    private func waitForExit(atMost limit: Duration) async {
        let deadline = ContinuousClock.now + limit
        while isRunning, ContinuousClock.now < deadline {
            // `Task.sleep` would not sleep in a cancelled task, and the program be killed before it could end.
            await withCheckedContinuation { continuation in
                DispatchQueue.global().asyncAfter(deadline: .now() + .milliseconds(20)) { continuation.resume() }
            }
        }
    }

    /// The last lines of the log, for messages about what went wrong.
    package func tail(lines: Int = 15) -> String {
        guard let text = try? String(contentsOfFile: log, encoding: .utf8) else { return "" }
        return text.split(separator: "\n").suffix(lines).joined(separator: "\n")
    }
}

/// Set once, by the thread that reaps the process.
private final class ExitStatus: Sendable {
    private let code = Mutex<Int32?>(nil)
    var value: Int32? { code.withLock { $0 } }
    func set(_ value: Int32) { code.withLock { $0 = value } }
}

/// Why a lab could not do what it was asked.
package struct LabError: Error, CustomStringConvertible {
    package let description: String
    package init(_ description: String) { self.description = description }
}

/// Waits until a condition holds, asking every few milliseconds.
///
/// - Throws: ``LabError`` naming `what` when it does not hold within `limit`.
package func eventually(
    within limit: Duration = .seconds(60), _ what: String, _ condition: () async throws -> Bool
) async throws {
    let deadline = ContinuousClock.now + limit
    while true {
        if try await condition() { return }
        guard ContinuousClock.now < deadline else { throw LabError("did not happen within \(limit): \(what)") }
        try await Task.sleep(for: .milliseconds(20))
    }
}

/// TCP ports of the loopback interface that nobody uses at the moment, each given once.
package enum FreePort {
    /// Below those that Linux gives to connections by default (`ip_local_port_range`, `ip(7)`): a connection could take one
    /// of these before the program does that it is for.
    private static let candidates = 10_000..<32_768
    /// Processes begin in different places, so that they do not come upon the same ports.
    private static let last = Mutex(Int.random(in: candidates))

    /// - Throws: ``LabError`` if the system has none.
    package static func next() throws -> Int {
        for _ in candidates {
            let port = last.withLock { last in
                last = last + 1 < candidates.upperBound ? last + 1 : candidates.lowerBound
                return last
            }
            if try isFree(port) { return port }
        }
        throw LabError("no free port")
    }

    private static func isFree(_ port: Int) throws -> Bool {
        let handle = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        guard handle >= 0 else { throw LabError("no socket: errno \(errno)") }
        defer { close(handle) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = UInt16(port).bigEndian
        address.sin_addr.s_addr = UInt32(INADDR_LOOPBACK).bigEndian
        return unsafe withUnsafePointer(to: &address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { generic in
                unsafe bind(handle, generic, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
            }
        }
    }
}
