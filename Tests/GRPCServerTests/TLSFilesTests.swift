import Foundation
import GRPCServer
import Logging
import NIOSSL
import Testing

@Suite("A certificate in files", .timeLimit(.minutes(1)))
struct TLSFilesTests {
    /// Paths in a directory of their own, with a certificate for `localhost`.
    private func withFiles(_ body: (TLSFiles.Paths) async throws -> Void) async throws {
        let directory = FileManager.default.temporaryDirectory.appending(path: "tls-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: directory) }
        let paths = TLSFiles.Paths(
            certificateChain: directory.appending(path: "cert.pem").path,
            privateKey: directory.appending(path: "key.pem").path)
        try TestCertificate.certificatePEM.write(toFile: paths.certificateChain, atomically: true, encoding: .utf8)
        try TestCertificate.keyPEM.write(toFile: paths.privateKey, atomically: true, encoding: .utf8)
        try await body(paths)
    }

    private let quiet = Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() })

    @Test("is read once for as long as it stays the same")
    func isKept() async throws {
        try await withFiles { paths in
            let files = try TLSFiles(paths, logger: quiet)
            #expect(files.context === files.context)
        }
    }

    @Test("is read anew when it changes, and not given up for one that cannot be used")
    func isReloaded() async throws {
        try await withFiles { paths in
            let files = try TLSFiles(paths, logger: quiet)
            let first = files.context
            for bad in ["", "-----BEGIN CERTIFICATE-----\nnonsense\n-----END CERTIFICATE-----\n"] {
                try bad.write(toFile: paths.certificateChain, atomically: true, encoding: .utf8)
                #expect(files.context === first)
            }
            try FileManager.default.removeItem(atPath: paths.certificateChain)
            #expect(files.context === first)
            try TestCertificate.certificatePEM.write(toFile: paths.certificateChain, atomically: true, encoding: .utf8)
            let second = files.context
            #expect(second !== first && second === files.context)
        }
    }

    @Test("is missing or broken: the server is not even started")
    func refusesToStart() async throws {
        try await withFiles { paths in
            for file in [paths.certificateChain, paths.privateKey] {
                let text = try String(contentsOfFile: file, encoding: .utf8)
                try "no PEM".write(toFile: file, atomically: true, encoding: .utf8)
                #expect(throws: (any Error).self) { try TLSFiles(paths, logger: quiet) }
                try text.write(toFile: file, atomically: true, encoding: .utf8)
            }
            var other = paths
            other.clientAuthorities = paths.certificateChain + ".missing"
            #expect(throws: (any Error).self) { try TLSFiles(other, logger: quiet) }
        }
    }

    @Test("may ask clients for theirs, and then lets nobody in without", arguments: [true, false])
    func clientCertificates(isPresented: Bool) async throws {
        try await withFiles { paths in
            var paths = paths
            paths.clientAuthorities = paths.certificateChain
            let files = try TLSFiles(paths, logger: quiet)
            let listener = GRPCServer.Listener(.host("127.0.0.1", port: 0), tls: { files.context })
            try await withServer(ScriptedService { EchoHandler($0) }, listeners: [listener]) { _, address in
                let client = try await TestClient(address, tls: TestCertificate.client(presenting: isPresented))
                let events = await client.call(sending: [[1]], halfClose: true).all()
                #expect((events == [.message([1]), .closed(.ok)]) == isPresented, "\(events)")
                client.close()
            }
        }
    }
}
