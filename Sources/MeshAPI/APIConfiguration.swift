/// The configuration of the API. Defaults are those of `sluice serve`.
package struct APIConfiguration: Sendable {
    /// The address where the server listens.
    package var host = "127.0.0.1"
    /// `0`: any free port.
    package var port = 8080
    /// Grants everything; `nil`: only API keys are accepted. (`SLUICE_ADMIN_TOKEN`)
    package var adminToken: String?
    /// Origins whose pages may call the API from a browser, for example `https://console.example.com`; `*`: all.
    package var allowedOrigins: [String] = []
    /// The text of `/version`.
    package var version = "0.1.0"
    /// How long a request may wait for the database before it is given up with 503. An answer that says so comes within two
    /// seconds more.
    package var deadline = Duration.seconds(8)
    /// How long the body of a request may take to arrive.
    package var bodyDeadline = Duration.seconds(30)
    /// Connections at a time; the next one waits until one is closed.
    package var connectionLimit = 2048
    /// Largest request body, in bytes.
    package var bodyLimit = 1 << 20
    /// Longest path and query, in bytes.
    package var urlLimit = 8 << 10
    /// Largest sum of all header names and values, in bytes.
    package var headerLimit = 32 << 10
    /// How often an event stream says that it is still there.
    package var watchHeartbeat = Duration.seconds(15)
    /// The clock of the heartbeats.
    package var watchClock: any Clock<Duration> = ContinuousClock()
    /// Event streams that this process serves at a time.
    package var watchLimit = 1000
    /// Event streams of one tenant that this process serves at a time.
    package var watchLimitPerTenant = 100

    package init() {}
}
