import Documents
import Foundation
import MeshLab
import TestSupport

/// What end-to-end tests are about, and where they take place.
extension TestTools {
    /// The server under test: built together with the tests, unless `SLUICE_BINARY` names another.
    static func sluice() throws -> String {
        try executable(ProcessInfo.processInfo.environment["SLUICE_BINARY"] ?? "\(root)/.build/debug/sluice")
    }

    /// Runs `body` with a directory of its own, removed afterwards unless `body` throws.
    static func withDirectory<T>(_ body: (String) async throws -> T) async throws -> T {
        let path = FileManager.default.temporaryDirectory.appending(path: "sluice-e2e-\(UUID().uuidString.prefix(8))")
            .path
        try FileManager.default.createDirectory(
            atPath: path, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o755])
        let result = try await body(path)
        try? FileManager.default.removeItem(atPath: path)
        return result
    }

    /// Runs `body` with a server that has a private PostgreSQL, and stops the server afterwards.
    ///
    /// - Parameter settings: gives more `SLUICE_` settings; it is told the server's directory.
    static func withServer<T>(
        _ settings: (String) async throws -> [String: String] = { _ in [:] },
        _ body: (Server, String) async throws -> T
    ) async throws -> T {
        try await withDirectory { directory in
            var options = try Server.Options(binary: sluice(), directory: directory, token: "end-to-end-administrator")
            options.environment = try await settings(directory)
            return try await stopping(Server(options)) { server in try await body(server, directory) }
        }
    }

    /// Runs `body` and stops the server, whatever happens.
    static func stopping<T>(_ server: Server, _ body: (Server) async throws -> T) async throws -> T {
        do {
            let result = try await body(server)
            await server.stop()
            return result
        } catch {
            await server.stop()
            throw error
        }
    }
}

extension TestTools {
    /// A bootstrap of a sidecar that keeps all statistics that Envoy has, for tests that go by some that ordinary ones do not keep.
    static func withAllStatistics(_ bootstrap: JSONValue) -> JSONValue {
        guard case .object(var members) = bootstrap else { return bootstrap }
        members["statsConfig"] = nil
        members["statsSinks"] = nil
        return .object(members)
    }
}
