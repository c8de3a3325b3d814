internal import AsyncHTTPClient
package import Documents
internal import Foundation
internal import NIOCore

/// A real Envoy that takes its configuration from Sluice.
package final class Sidecar: Sendable {
    package let name: String
    package let httpProxyPort: Int
    package let adminPort: Int
    package let process: ChildProcess

    /// Fetches a bootstrap from the API, starts Envoy with it and waits until its listeners are there.
    ///
    /// - Parameters:
    ///   - envoy: the path of the Envoy binary.
    ///   - mesh: for example `/v1/tenants/acme/meshes/default`.
    ///   - directory: where bootstrap and log go.
    ///   - variant: `delta` or `sotw`: how Envoy speaks xDS.
    ///   - otherReplicas: xDS ports on loopback of servers that Envoy goes to, in this order, when the bootstrap's does not
    ///     answer. It knows them as it would know the addresses of a name in DNS.
    ///   - edit: changes the bootstrap, for sidecars whose bootstrap is not what the server gives today.
    ///   - nameServer: the port on loopback of the only server that it asks for names; `nil`: the machine's.
    package init(
        name: String, service: String, namespace: String, cluster: String, mesh: String, api: APIClient, envoy: String,
        directory: String, variant: String = "delta", otherReplicas: [Int] = [], nameServer: Int? = nil,
        edit: ((JSONValue) -> JSONValue)? = nil
    ) async throws {
        self.name = name
        httpProxyPort = try FreePort.next()
        adminPort = try FreePort.next()
        let answer = try await api.get(
            "\(mesh)/proxies/\(name)/bootstrap?namespace=\(namespace)&service=\(service)&cluster=\(cluster)"
                + "&httpProxyPort=\(httpProxyPort)&adminPort=\(adminPort)&xds=\(variant)",
            headers: edit == nil ? [:] : ["Accept": "application/json"])
        try answer.expectingSuccess("the bootstrap of \(name)")
        let file = "\(directory)/\(name).yaml"
        let others = otherReplicas.map { ",127.0.0.1:\($0)" }.joined()
        // A target of gRPC may list addresses, which it tries one after the other (gRPC name resolution, `ipv4`).
        let text =
            try edit.map { String(decoding: try JSONEncoder().encode($0(answer.body)), as: UTF8.self) } ?? answer.text
        let bootstrap =
            text.replacing(/ipv4:127\.0\.0\.1:[0-9]+/) { "\($0.output)\(others)" }
            + (nameServer.map(Self.resolver) ?? "")
        try Data(bootstrap.utf8).write(to: URL(fileURLWithPath: file))
        process = try ChildProcess(
            name: name, executable: envoy,
            arguments: ["-c", file, "--concurrency", "1", "--disable-hot-restart", "-l", "warning"],
            log: "\(directory)/\(name).log")
        try await waitUntilReady()
    }

    private static func resolver(at port: Int) -> String {
        """

        typed_dns_resolver_config:
          name: envoy.network.dns_resolver.cares
          typed_config:
            "@type": type.googleapis.com/envoy.extensions.network.dns_resolver.cares.v3.CaresDnsResolverConfig
            resolvers: [{ socket_address: { address: 127.0.0.1, port_value: \(port), protocol: UDP } }]
            dns_resolver_options: { no_default_search_domain: true }

        """
    }

    private func waitUntilReady() async throws {
        do {
            try await eventually(within: .seconds(60), "\(name) is live") {
                guard self.process.isRunning else {
                    throw LabError("envoy \(self.name) ended:\n\(self.process.tail())")
                }
                return (try? await self.admin("/ready"))?.contains("LIVE") == true
            }
        } catch {
            await process.stop(grace: .seconds(1))
            throw LabError("\(error)\n\(process.tail())")
        }
    }

    /// GET on Envoy's administration interface, for example `/config_dump` or `/stats?filter=…`.
    package func admin(_ path: String) async throws -> String {
        let request = HTTPClientRequest(url: "http://127.0.0.1:\(adminPort)\(path)")
        let response = try await HTTPClient.shared.execute(request, timeout: .seconds(30))
        return String(buffer: try await response.body.collect(upTo: 64 << 20))
    }

    /// The answer of ``admin(_:)`` as a document; `null` if it is none.
    package func adminJSON(_ path: String) async throws -> JSONValue {
        (try? JSONValue(json: Data(try await admin(path).utf8))) ?? .null
    }

    package func stop() async { await process.stop(grace: .seconds(5)) }
}
