import Documents
import Foundation
import Glibc
import MeshLab
import PostgresServer
import TestSupport
import Testing

/// What is left when programs are killed, stopped, or started twice.
@Suite("Killing things", .serialized)
struct KillingTests {
    static func options(_ directory: String, name: String = "sluice") throws -> Server.Options {
        try Server.Options(
            binary: TestTools.sluice(), directory: directory, token: "end-to-end-administrator", name: name)
    }

    @Test("A first start that is killed at any moment can be repeated")
    func firstStart() async throws {
        try await TestTools.withDirectory { directory in
            var options = try Self.options(directory)
            options.environment["SLUICE_LOG_LEVEL"] = "debug"
            func entries() -> [String] { (try? FileManager.default.contentsOfDirectory(atPath: directory)) ?? [] }
            func exists(_ path: String) -> Bool { FileManager.default.fileExists(atPath: "\(directory)/\(path)") }
            func unfinished(_ file: String) -> Bool {
                entries().contains { $0.hasPrefix("postgres.new") && exists("\($0)/\(file)") }
            }
            let moments: [(String, () -> Bool)] = [
                ("the directory has an owner", { exists("sluice.lock") }),
                ("the cluster's directory is there", { entries().contains { $0.hasPrefix("postgres.new") } }),
                ("the cluster is being filled", { unfinished("PG_VERSION") }),
                ("the cluster has its settings", { unfinished("sluice.conf") }),
                ("the cluster is there", { exists("postgres/PG_VERSION") }),
                ("PostgreSQL is being started", { exists("postgres/postmaster.pid") }),
            ]
            for (what, hasCome) in moments {
                let process = try Server.launch(options)
                try await eventually(what) {
                    guard process.isRunning else { throw LabError("\(what): it ended by itself\n\(process.tail())") }
                    return hasCome()
                }
                process.signal(SIGKILL)
                try await eventually("it has ended") { !process.isRunning }
            }
            try await TestTools.stopping(Server(options)) { server async throws in
                #expect(try await server.api.put("/v1/tenants/acme", ["spec": [:]]).status == 201)
                #expect(entries().filter { $0.hasPrefix("postgres.new") }.isEmpty)
            }
        }
    }

    @Test("A second server on the same directory is refused with a sentence, and the first one goes on")
    func second() async throws {
        try await TestTools.withServer { server, directory async throws in
            let second = try Server.launch(Self.options(directory, name: "second"))
            try await eventually("the second one has ended") { !second.isRunning }
            #expect(second.exitCode == 1)
            #expect(second.tail().contains("is in use by another Sluice (process \(server.process.pid))"))
            #expect(try await server.api.put("/v1/tenants/acme", ["spec": [:]]).status == 201)
        }
    }

    @Test("An address that is taken is named with its option", arguments: ["--http", "--xds"])
    func addressInUse(option: String) async throws {
        try await TestTools.withServer { server, directory async throws in
            var options = try Self.options(directory + "/other")
            if option == "--http" {
                options.httpPort = server.options.httpPort
            } else {
                options.xdsPort = server.options.xdsPort
            }
            try FileManager.default.createDirectory(atPath: options.directory, withIntermediateDirectories: false)
            let other = try Server.launch(options)
            try await eventually("it has ended") { !other.isRunning }
            let port = option == "--http" ? options.httpPort : options.xdsPort
            #expect(other.exitCode == 1)
            let text = other.tail()
            #expect(text.contains("cannot listen on 127.0.0.1:\(port): address already in use"), "\(text)")
            #expect(text.contains("choose another with \(option) "))
        }
    }

    @Test("A server that is started before its database waits for it")
    func early() async throws {
        try await TestTools.withDirectory { directory in
            var options = try Self.options(directory + "/early")
            try FileManager.default.createDirectory(atPath: options.directory, withIntermediateDirectories: false)
            options.databaseURL = try ReleaseUnderLoadTests.database(of: directory).connectionString
            let early = try Server.launch(options)
            defer { early.signal(SIGKILL) }
            try await eventually("it waits") { early.tail().contains("waiting for the database") }
            let api = APIClient(base: "http://127.0.0.1:\(options.httpPort)", token: options.token)
            try await TestTools.stopping(Server(Self.options(directory))) { _ in
                try await eventually("it is ready") { (try? await api.get("/readyz"))?.status == 200 }
                await early.stop()
            }
        }
    }

    @Test("A superuser is refused, with what to do instead")
    func superuser() async throws {
        let database = try await PostgresServer.shared()
        try await TestTools.withDirectory { directory in
            var options = try Self.options(directory)
            options.databaseURL = database.connectionString(database: "postgres", user: "postgres")
            let process = try Server.launch(options)
            try await eventually("it has ended") { !process.isRunning }
            #expect(process.exitCode == 78)
            #expect(process.tail().contains("\"postgres\" is a superuser"))
            #expect(process.tail().contains("CREATE ROLE sluice LOGIN PASSWORD"))
        }
    }

    /// Where standard error leads.
    enum Ending: String, CaseIterable {
        case fullDisk, stalledReader, readerGone, fullNonBlockingPipe, closed
    }

    @Test("The server serves whatever becomes of its log", arguments: Ending.allCases)
    func log(_ ending: Ending) async throws {
        try await TestTools.withDirectory { directory in
            var options = try Self.options(directory)
            var reader: Int32 = -1
            switch ending {
            case .fullDisk: options.log = "/dev/full"
            case .closed:
                let script = directory + "/serve"
                let text = "#!/bin/sh\nexec '\(options.binary)' \"$@\" 2>&-\n"
                try Data(text.utf8).write(to: URL(fileURLWithPath: script))
                try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: script)
                options.binary = script
            case .stalledReader, .readerGone, .fullNonBlockingPipe:
                let pipe = directory + "/log"
                try #require(unsafe mkfifo(pipe, 0o600) == 0)
                // Holds the pipe open and never reads. Opened for both, so that nobody waits for the other end.
                reader = unsafe open(pipe, ending == .readerGone ? O_RDONLY | O_NONBLOCK : O_RDWR | O_NONBLOCK)
                options.log = pipe
            }
            defer { if reader >= 0 { close(reader) } }
            try await TestTools.stopping(Server(options)) { server async throws in
                if ending == .readerGone {
                    close(reader)
                    reader = -1
                }
                if ending == .fullNonBlockingPipe { try Self.makeNonBlocking(server.process.pid) }
                // Each logs a kilobyte; a pipe holds 64.
                let path = "/" + String(repeating: "x", count: 7_000)
                for _ in 0..<200 { #expect(try await server.api.get(path).status == 404) }
                #expect(try await server.api.put("/v1/tenants/acme", ["spec": [:]]).status == 201)
                #expect(server.process.isRunning)
                let descriptors = "/proc/\(server.process.pid)/fd/2"
                #expect(try FileManager.default.destinationOfSymbolicLink(atPath: descriptors).hasPrefix("/"))
            }
        }
    }

    /// The flag is one of the open file, which the process shares with whoever opens its end anew through `/proc`; so what is
    /// set is set on an end of our own, and the pipe is full for both.
    private static func makeNonBlocking(_ pid: Int32) throws {
        let end = unsafe open("/proc/\(pid)/fd/2", O_WRONLY | O_NONBLOCK)
        try #require(end >= 0)
        defer { close(end) }
        let bytes = [UInt8](repeating: 0x0A, count: 4096)
        while unsafe write(end, bytes, bytes.count) > 0 {}
    }

    @Test("While PostgreSQL hangs, requests are answered and the server is not ready; then it goes on")
    func hangingDatabase() async throws {
        try await TestTools.withServer { server, directory async throws in
            #expect(try await server.api.put("/v1/tenants/acme", ["spec": [:]]).status == 201)
            let postmaster = try #require(try ReleaseUnderLoadTests.database(of: directory).processID)
            let all = [postmaster] + Self.children(of: postmaster)
            for pid in all { kill(pid, SIGSTOP) }
            let answers: [Int]
            do {
                answers = [
                    try await server.api.get("/v1/tenants/acme").status, try await server.api.get("/readyz").status,
                    try await server.api.get("/healthz").status,
                ]
            } catch {
                for pid in all { kill(pid, SIGCONT) }
                throw error
            }
            for pid in all { kill(pid, SIGCONT) }
            #expect(answers == [503, 503, 200])
            try await eventually("it is ready again") { try await server.api.get("/readyz").status == 200 }
            #expect(try await server.api.get("/v1/tenants/acme").status == 200)
        }
    }

    static func children(of parent: Int32) -> [Int32] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
        return names.compactMap { Int32($0) }.filter { pid in
            let status = (try? String(contentsOfFile: "/proc/\(pid)/status", encoding: .utf8)) ?? ""
            return status.contains("\nPPid:\t\(parent)\n")
        }
    }
}
