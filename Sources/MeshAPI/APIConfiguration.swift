/// What the API is told at its start. Defaults are those of `sluice serve`.
package struct APIConfiguration: Sendable {
    /// Where the server listens.
    package var host = "127.0.0.1"
    /// `0`: any free port.
    package var port = 8080
    /// Grants everything; `nil`: only API keys are accepted. (`SLUICE_ADMIN_TOKEN`)
    package var adminToken: String?
    /// Origins whose pages may call the API from a browser, for example `https://console.example.com`; `*`: all.
    package var allowedOrigins: [String] = []
    /// What `/version` says.
    package var version = "0.1.0"
    /// How long a request may take before it is given up with 503.
    package var deadline = Duration.seconds(30)
    /// Largest request body, in bytes.
    package var bodyLimit = 1 << 20
    /// Longest path and query, in bytes.
    package var urlLimit = 8 << 10
    /// Largest sum of all header names and values, in bytes.
    package var headerLimit = 32 << 10

    package init() {}
}
