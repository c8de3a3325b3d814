import Foundation
import Glibc
import PostgresServer
import Subprocess
import TestSupport
import Testing

@testable import Postgres

/// A second server, because encryption needs a network socket and a certificate, which the private one does without.
@Suite("Encryption", .timeLimit(.minutes(2)))
struct EncryptionTests {
    @Test("modes require TLS and verify certificate and host name")
    func modes() async throws {
        let server = try await PostgresServer.temporary(logger: quietLogger)
        let cluster = server.clusterDirectory
        let port = somePort()
        try await makeCertificate(in: cluster)
        let settings = """
            listen_addresses = '127.0.0.1'
            port = \(port)
            ssl = on

            """
        // Read after the server's own settings, so it wins.
        try settings.write(toFile: cluster + "/postgresql.auto.conf", atomically: true, encoding: .utf8)
        // Signals do what stop() does, but keep the files.
        let process = try #require(server.processID)
        kill(process, SIGINT)
        try await until("the server has stopped") { server.processID == nil }
        try await server.start()

        let local = "host=127.0.0.1 port=\(port) user=sluice dbname=sluice"
        let authority = "sslrootcert=\(cluster)/server.crt"
        for conninfo in [
            "\(local) sslmode=require", "\(local) sslmode=verify-ca \(authority)",
            "host=localhost hostaddr=127.0.0.1 port=\(port) user=sluice dbname=sluice sslmode=verify-full \(authority)",
        ] {
            let connection = try await Connection.open(ConnectionOptions(conninfo))
            #expect(connection.usesTLS)
            // More than one TLS record in both directions.
            let text = String(repeating: "x", count: 200_000)
            #expect(try await connection.query("SELECT \(text)")[0][0, as: String.self] == text)
        }
        for conninfo in [
            // The certificate is for localhost.
            "\(local) sslmode=verify-full \(authority)",
            // The system does not know the authority.
            "\(local) sslmode=verify-ca sslrootcert=/nonexistent",
        ] {
            let error = try await postgresError { _ = try await Connection.open(ConnectionOptions(conninfo)) }
            #expect(error.kind == .connectionFailed)
            #expect(error.message.contains("certificate"))
        }
        await server.stop()
    }

    @Test("several hosts are tried until one answers and takes writes")
    func hosts() async throws {
        let good = try await PostgresServer.shared().connectionString
        let directory = try #require(good.split(separator: " ").first).dropFirst("host=".count)
        let connection = try await Connection.open(
            ConnectionOptions(
                "host=/nonexistent,\(directory) user=sluice dbname=sluice target_session_attrs=read-write"))
        #expect(!connection.usesTLS)
        #expect(try await connection.query("SELECT 1").count == 1)
    }

    private func makeCertificate(in directory: String) async throws {
        let result = try await Subprocess.run(
            .name("openssl"),
            arguments: [
                "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost", "-addext",
                "subjectAltName=DNS:localhost", "-keyout", directory + "/server.key", "-out", directory + "/server.crt",
            ], output: .discarded, error: .discarded)
        try #require(result.terminationStatus.isSuccess)
        // PostgreSQL wants the key for itself.
        let owner = try FileManager.default.attributesOfItem(atPath: directory)[.ownerAccountID]
        try FileManager.default.setAttributes(
            [.posixPermissions: 0o600, .ownerAccountID: try #require(owner)], ofItemAtPath: directory + "/server.key")
    }

    /// Below the range from which the kernel gives out ports by itself.
    private func somePort() -> Int { Int.random(in: 20_000...29_999) }
}
