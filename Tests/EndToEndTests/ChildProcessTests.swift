import Foundation
import MeshLab
import Testing

/// What `make run` cleans up with.
@Suite("Programs that a lab starts")
struct ChildProcessTests {
    @Test("A program is given time to end, also when the task that stops it is cancelled")
    func stopsInACancelledTask() async throws {
        let directory = FileManager.default.temporaryDirectory.appending(path: "sluice-child-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: directory) }
        // Says when it is ready to be asked to end, and does some work before it does.
        let script = """
            trap 'sleep 0.2; touch \(directory)/tidy; exit 0' TERM
            touch \(directory)/ready
            while :; do sleep 0.05; done
            """
        let child = try ChildProcess(
            name: "child", executable: "/bin/sh", arguments: ["-c", script], log: "\(directory)/log")
        try await eventually("the child is ready") { FileManager.default.fileExists(atPath: "\(directory)/ready") }

        await withTaskGroup(of: Void.self) { group in
            group.cancelAll()
            group.addTask {
                #expect(Task.isCancelled)
                await child.stop()
            }
        }

        #expect(!child.isRunning)
        #expect(child.exitCode == 0)
        #expect(FileManager.default.fileExists(atPath: "\(directory)/tidy"))
    }

    @Test("A program that does not end by itself is killed")
    func kills() async throws {
        let directory = FileManager.default.temporaryDirectory.appending(path: "sluice-child-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: directory) }
        let script = "trap '' TERM; touch \(directory)/ready; while :; do sleep 0.05; done"
        let child = try ChildProcess(
            name: "child", executable: "/bin/sh", arguments: ["-c", script], log: "\(directory)/log")
        try await eventually("the child is ready") { FileManager.default.fileExists(atPath: "\(directory)/ready") }
        await child.stop(grace: .milliseconds(100))
        #expect(child.exitCode == SIGKILL)
    }
}
