import Foundation
import Synchronization
import Testing

@testable import PostgresServer

@Suite("The owner of a data directory")
struct DirectoryLockTests {
    private func withDirectory(_ body: (String) throws -> Void) throws {
        let path = "/tmp/sluice-lock-\(String(UInt64.random(in: 0 ... .max), radix: 36))"
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
        defer { try? FileManager.default.removeItem(atPath: path) }
        try body(path)
    }

    @Test("is one; the second is told who the first is and what to do, and gets it when that has gone")
    func one() throws {
        try withDirectory { path in
            let first = try DirectoryLock(path)
            try withExtendedLifetime(first) {
                let error = try #require(throws: DirectoryInUse.self) { try DirectoryLock(path) }
                #expect(error == DirectoryInUse(directory: path, owner: getpid()))
                #expect("\(error)".contains("\(path) is in use by another Sluice (process \(getpid()))"))
                #expect("\(error)".contains("--data-dir"))
            }
        }
        try withDirectory { path in
            _ = try DirectoryLock(path)
            _ = try DirectoryLock(path)
        }
    }

    @Test("is waited for while a short command is it, but not for ever")
    func waiting() async throws {
        let path = "/tmp/sluice-lock-\(String(UInt64.random(in: 0 ... .max), radix: 36))"
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
        defer { try? FileManager.default.removeItem(atPath: path) }
        let first = Mutex<DirectoryLock?>(try DirectoryLock(path))
        var told: [DirectoryInUse] = []
        await #expect(throws: DirectoryInUse.self) {
            _ = try await DirectoryLock.waiting(for: path, atMost: .zero) { told.append($0) }
        }
        #expect(told.isEmpty, "it did not wait")
        let second = try await DirectoryLock.waiting(for: path, atMost: .seconds(60)) { inUse in
            told.append(inUse)
            first.withLock { $0 = nil }
        }
        #expect(told == [DirectoryInUse(directory: path, owner: getpid())])
        withExtendedLifetime(second) {}
    }

    @Test("cannot be one where it may not write, in a sentence")
    func impossible() throws {
        let error = try #require(throws: PostgresServerError.self) { try DirectoryLock("/nonexistent") }
        #expect("\(error)" == "cannot open /nonexistent/sluice.lock: No such file or directory")
    }

    @Test("Errors of files are sentences with the file's name")
    func sentences() throws {
        func sentence(_ body: () throws -> Void) -> String {
            do {
                try body()
                return ""
            } catch {
                return PostgresServerError.sentence(error)
            }
        }
        let files = FileManager.default
        let none = sentence { _ = try files.contentsOfDirectory(atPath: "/nonexistent/x") }
        #expect(none == "/nonexistent/x: no such file or directory")
        let file = sentence { try files.createDirectory(atPath: "/dev/null/x", withIntermediateDirectories: true) }
        #expect(file.hasPrefix("/dev/null") && !file.contains("NSCocoaErrorDomain"), "\(file)")
        let read = sentence { _ = try String(contentsOfFile: "/nonexistent", encoding: .utf8) }
        #expect(read.contains("/nonexistent") && !read.contains("Domain"), "\(read)")
        #expect(PostgresServerError.sentence(PostgresServerError("as it is")) == "as it is")
    }
}
