import Documents
import Foundation
import MeshLab
import PostgresServer
import TestSupport
import Testing

/// Secrets in a real database, with the programs that look after their keys.
@Suite("Secrets")
struct SecretsTests {
    private static let path = "/v1/tenants/acme/meshes/default/namespaces/shop/secrets/db"
    private static let plain = "correct-horse-battery-staple"

    /// Runs a program and waits until it has ended.
    private static func run(
        _ name: String, _ executable: String, _ arguments: [String], _ environment: [String: String],
        in directory: String
    ) async throws -> (code: Int32, output: String) {
        let log = "\(directory)/\(name)-\(UUID().uuidString.prefix(8)).log"
        let process = try ChildProcess(
            name: name, executable: executable, arguments: arguments, environment: environment, log: log)
        do {
            try await eventually(within: .seconds(60), "\(name) has ended") { !process.isRunning }
        } catch {
            await process.stop()
            throw error
        }
        return (process.exitCode ?? -1, try String(contentsOfFile: log, encoding: .utf8))
    }

    private static func dump(_ url: String, in directory: String) async throws -> String {
        let file = "\(directory)/dump.sql"
        // As the server's own role, which sees rows of a tenant that a session names: all of them.
        let (code, output) = try await run(
            "pg_dump", TestTools.executable("/usr/lib/postgresql/15/bin/pg_dump"),
            ["--enable-row-security", "--file", file, "--dbname", url], ["PGOPTIONS": "-c sluice.tenant=*"],
            in: directory)
        guard code == 0 else { throw LabError(output) }
        return try String(contentsOfFile: file, encoding: .utf8)
    }

    @Test("A dump, the log and all answers are without what is in a Secret; keys are changed under a running server")
    func sealed() async throws {
        try await TestTools.withServer { server, directory in
            let url = try ReleaseUnderLoadTests.database(of: directory).connectionString
            try await server.api.put("/v1/tenants/acme", ["spec": [:]]).expectingSuccess("tenant")
            let secret: JSONValue = [
                "metadata": ["labels": ["needle": "found-by-the-search"]],
                "spec": ["type": "opaque", "data": ["password": .string(Self.plain)]],
            ]
            let written = try await server.api.put(Self.path, secret).expectingSuccess("secret")
            #expect(written.body["spec"]?["data"]?["password"] == ["size": "upTo64B", "version": 1])
            let read = try await server.api.get(Self.path)
            #expect(!(written.text + read.text).contains(Self.plain))

            let hexadecimal = Self.plain.utf8.map { String($0, radix: 16) }.joined()
            for _ in 0..<2 {
                let dump = try await Self.dump(url, in: directory)
                #expect(dump.contains("found-by-the-search"))
                #expect(!dump.contains(Self.plain) && !dump.contains(hexadecimal))
                for command in [["keys", "data", "rotate"], ["keys", "verify"]] {
                    let (code, output) = try await Self.run(
                        "keys", TestTools.sluice(), command + ["--data-dir", directory], [:], in: directory)
                    #expect(code == 0, "\(output)")
                    #expect(
                        output.contains("sealed anew: 1") || output.contains("tenants' keys: 1, secret values: 1"),
                        "\(output)")
                }
            }
            try await server.api.put(Self.path, secret).expectingSuccess("secret, by the new key")
            #expect(try !String(contentsOfFile: server.process.log, encoding: .utf8).contains(Self.plain))
            try await Self.elsewhere(url, secret, in: directory)
        }
    }

    /// Other servers on the same database: one without a key, and one with a wrong one.
    private static func elsewhere(_ url: String, _ secret: JSONValue, in directory: String) async throws {
        let other = directory + "/second"
        try FileManager.default.createDirectory(atPath: other, withIntermediateDirectories: true)
        let options = try Server.Options(
            binary: TestTools.sluice(), directory: other, token: "end-to-end-administrator", databaseURL: url,
            name: "second")
        try await TestTools.stopping(Server(options)) { second in
            let refused = try await second.api.put(path, secret)
            #expect(refused.status == 503 && refused.body["code"] == "noKeyEncryptionKey", "\(refused.text)")
            #expect(try await second.api.get(path).status == 200)
        }
        var wrong = options
        wrong.environment["SLUICE_KEK"] = "k1:" + String(repeating: "A", count: 43) + "="
        let process = try Server.launch(wrong)
        try await eventually(within: .seconds(60), "the server with another key has ended") { !process.isRunning }
        #expect(process.exitCode == 78 && process.tail().contains("was not given"), "\(process.tail())")
    }
}
