import Foundation
import MeshLab
import MeshModel
import Testing

@Suite("xDS over TLS", .serialized)
struct EncryptedTests {
    @Test("A sidecar trusts the server by its bootstrap, and is in step", arguments: ["delta", "sotw"])
    func connects(variant: String) async throws {
        try await Parts.withServer(Self.certificates) { server, directory in
            try await ReviewsMesh.run(
                api: server.api, envoy: Parts.envoy(), directory: directory, variant: variant
            ) { mesh in
                try await eventually("all sidecars are in step") { try await mesh.isInStep() }
                let dump = try await mesh.caller.admin("/stats?filter=cluster.xds.ssl.handshake")
                #expect(dump.contains("handshake: 1"), "\(dump)")
                let load = mesh.load()
                await load.once()
                #expect(load.total.successes == 1, "\(load.total.examples)")
            }
        }
    }

    /// An authority and a certificate for 127.0.0.1 that it signed.
    private static func certificates(in directory: String) async throws -> [String: String] {
        let (authority, own) = ("\(directory)/authority", "\(directory)/server")
        let key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"]
        try await openssl(
            ["req", "-x509"] + key + [
                "-subj", "/CN=authority", "-keyout", "\(authority).key", "-out", "\(authority).pem",
            ],
            directory)
        try await openssl(
            ["req", "-x509"] + key + [
                "-subj", "/CN=sluice", "-addext", "subjectAltName=IP:127.0.0.1", "-addext",
                "basicConstraints=critical,CA:FALSE",
                "-CA", "\(authority).pem", "-CAkey", "\(authority).key", "-keyout", "\(own).key", "-out", "\(own).pem",
            ], directory)
        return [
            "SLUICE_XDS_TLS_CERT": "\(own).pem", "SLUICE_XDS_TLS_KEY": "\(own).key",
            "SLUICE_XDS_TLS_CA": "\(authority).pem",
        ]
    }

    private static func openssl(_ arguments: [String], _ directory: String) async throws {
        let process = try ChildProcess(
            name: "openssl", executable: "/usr/bin/openssl", arguments: arguments, log: "\(directory)/openssl.log")
        try await eventually("openssl ends") { !process.isRunning }
        guard process.exitCode == 0 else { throw LabError("openssl \(arguments): \(process.tail())") }
    }
}
