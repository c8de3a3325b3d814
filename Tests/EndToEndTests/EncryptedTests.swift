import Documents
import Foundation
import MeshLab
import TestSupport
import Testing

@Suite("xDS over TLS", .serialized)
struct EncryptedTests {
    @Test(
        "A sidecar trusts the server by its bootstrap, shows it a certificate if it has to, and is in step",
        arguments: ["delta", "sotw"], [false, true])
    func connects(variant: String, asksForCertificates: Bool) async throws {
        let settings = { directory in
            let settings = try await Self.certificates(in: directory)
            return asksForCertificates ? settings.merging(Self.mutual(in: directory)) { $1 } : settings
        }
        try await TestTools.withServer(settings) { server, directory in
            try await ReviewsMesh.run(
                api: server.api, envoy: TestTools.envoy(), directory: directory, variant: variant
            ) { mesh in
                try await eventually("all sidecars are in step") { try await mesh.isInStep() }
                let load = mesh.load()
                await load.once()
                #expect(load.total.successes == 1, "\(load.total.examples)")
            }
        }
    }

    @Test("A sidecar that trusts another authority does not speak to the server")
    func distrusts() async throws {
        let wrongAuthority = { directory in
            var settings = try await Self.certificates(in: directory)
            settings["SLUICE_XDS_TLS_CA"] = try await Self.authority(in: directory, named: "other") + ".pem"
            settings["SLUICE_LOG_LEVEL"] = "debug"
            return settings
        }
        try await TestTools.withServer(wrongAuthority) { server, directory in
            try await server.api.put("/v1/tenants/acme", ["spec": [:]]).expectingSuccess("tenant")
            try await server.api.post(
                "/v1/tenants/acme/clusters",
                ["metadata": ["name": "dev"], "spec": ["kind": "universal", "mesh": ["enabled": true]]]
            ).expectingSuccess("cluster")
            let path =
                "/v1/tenants/acme/meshes/default/proxies/a/bootstrap?namespace=shop&service=a&cluster=dev"
                + "&adminPort=\(try FreePort.next())"
            let bootstrap = try await server.api.get(path).expectingSuccess("bootstrap")
            try Data(bootstrap.text.utf8).write(to: URL(filePath: "\(directory)/a.yaml"))
            let envoy = try ChildProcess(
                name: "a", executable: TestTools.envoy(),
                arguments: [
                    "-c", "\(directory)/a.yaml", "--concurrency", "1", "--disable-hot-restart", "-l", "warning",
                ],
                log: "\(directory)/a.log")
            do {
                // The sidecar's stream waits for a connection, so it is the server that knows.
                try await eventually("the sidecar's attempt to connect fails") {
                    server.process.tail(lines: 1_000).contains("connection closed")
                }
            } catch {
                await envoy.stop(grace: .seconds(1))
                throw error
            }
            #expect(try await server.api.get("/metrics").text.contains("sluice_xds_connected_proxies 0\n"))
            await envoy.stop(grace: .seconds(1))
        }
    }

    /// An authority and a certificate for 127.0.0.1 that it signed.
    private static func certificates(in directory: String) async throws -> [String: String] {
        let authority = try await authority(in: directory, named: "authority")
        let own = "\(directory)/server"
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

    /// Asks proxies for a certificate of the authority; they show the server's own, which is good enough.
    private static func mutual(in directory: String) -> [String: String] {
        [
            "SLUICE_XDS_TLS_CLIENT_CA": "\(directory)/authority.pem",
            "SLUICE_XDS_TLS_CLIENT_CERT": "\(directory)/server.pem",
            "SLUICE_XDS_TLS_CLIENT_KEY": "\(directory)/server.key",
        ]
    }

    private static let key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"]

    /// - Returns: where its `.pem` and `.key` are.
    private static func authority(in directory: String, named name: String) async throws -> String {
        let path = "\(directory)/\(name)"
        try await openssl(
            ["req", "-x509"] + key + ["-subj", "/CN=\(name)", "-keyout", "\(path).key", "-out", "\(path).pem"],
            directory)
        return path
    }
    private static func openssl(_ arguments: [String], _ directory: String) async throws {
        let process = try ChildProcess(
            name: "openssl", executable: "/usr/bin/openssl", arguments: arguments, log: "\(directory)/openssl.log")
        try await eventually("openssl ends") { !process.isRunning }
        guard process.exitCode == 0 else { throw LabError("openssl \(arguments): \(process.tail())") }
    }
}
