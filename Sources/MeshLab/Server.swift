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
        var arguments = [
            "serve", "--http", "127.0.0.1:\(options.httpPort)", "--xds", "127.0.0.1:\(options.xdsPort)",
            "--data-dir", options.directory,
        ]
        if let url = options.databaseURL { arguments += ["--database-url", url] }
        process = try ChildProcess(
            name: options.name, executable: options.binary, arguments: arguments,
            environment: options.environment.merging(["SLUICE_ADMIN_TOKEN": options.token]) { own, _ in own },
            log: "\(options.directory)/\(options.name).log")
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

    package func stop() async { await process.stop(grace: .seconds(15)) }
}
