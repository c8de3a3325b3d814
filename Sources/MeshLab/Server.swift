internal import Foundation

/// A `sluice serve` of its own, with ports that nobody else uses.
package final class Server: Sendable {
    package let process: ChildProcess
    package let options: Options
    package let api: APIClient

    /// How a server is started; the same options start it again after it was killed.
    package struct Options: Sendable {
        /// The path of the `sluice` binary.
        package var binary: String
        package var directory: String
        package var httpPort: Int
        package var xdsPort: Int
        package var token: String
        /// `nil`: a private PostgreSQL in the data directory.
        package var databaseURL: String?
        package var name: String
        /// More `SLUICE_` settings.
        package var environment: [String: String] = [:]
        /// The file for its log; `nil`: a file in the directory.
        package var log: String?

        var arguments: [String] {
            [
                "serve", "--http", "127.0.0.1:\(httpPort)", "--xds", "127.0.0.1:\(xdsPort)", "--data-dir", directory,
            ] + (databaseURL.map { ["--database-url", $0] } ?? [])
        }

        package init(
            binary: String, directory: String, token: String, databaseURL: String? = nil, name: String = "sluice"
        ) throws {
            self.binary = binary
            self.directory = directory
            self.token = token
            self.databaseURL = databaseURL
            self.name = name
            httpPort = try FreePort.next()
            xdsPort = try FreePort.next()
        }
    }

    /// Starts the server and waits until it is ready.
    package init(_ options: Options, within limit: Duration = .seconds(60)) async throws {
        self.options = options
        api = APIClient(base: "http://127.0.0.1:\(options.httpPort)", token: options.token)
        process = try Self.launch(options)
        do {
            try await eventually(within: limit, "\(options.name) is ready") {
                guard self.process.isRunning else { throw LabError("sluice ended") }
                return (try? await self.api.get("/readyz"))?.status == 200
            }
        } catch {
            await process.stop(grace: .seconds(1))
            throw LabError("\(error)\n\(process.tail())")
        }
    }

    /// Starts the server and does not wait for anything.
    package static func launch(_ options: Options) throws -> ChildProcess {
        try ChildProcess(
            name: options.name, executable: options.binary, arguments: options.arguments,
            environment: options.environment.merging(["SLUICE_ADMIN_TOKEN": options.token]) { own, _ in own },
            log: options.log ?? "\(options.directory)/\(options.name).log")
    }

    package func stop() async { await process.stop(grace: .seconds(15)) }
}
