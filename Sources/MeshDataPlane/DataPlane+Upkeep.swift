internal import Logging
internal import MeshControl
internal import MeshIdentity
internal import MeshStore

/// Upkeep that goes on beside the streams until the task is cancelled.
extension DataPlane {
    /// Looks for signing keys that were added or removed, several times before a new one signs.
    package func followKeys() async throws {
        while true {
            try await Task.sleep(for: MeshStore.signingKeyDelay / 4)
            do {
                if let tokens = ProxyTokens(try await store.signingKeys()) { admission.use(tokens) }
            } catch {
                // Those that are known go on being good.
                logger.warning("signing keys not read", metadata: ["error": "\(error)"])
            }
        }
    }

    /// Forgets proxies that have been away for long, a bounded number at a time.
    ///
    /// - Parameter retention: for how long.
    package func forgetProxies(awayFor retention: Duration) async throws {
        let limit = 1_000
        while true {
            var forgotten = 0
            do {
                forgotten = try await store.forgetProxies(awayFor: retention, atMost: limit)
            } catch {
                logger.warning("proxies not forgotten", metadata: ["error": "\(error)"])
            }
            // More are left: soon, but not at once, so that others get to the database.
            try await Task.sleep(for: forgotten == limit ? .seconds(1) : min(retention / 10, .seconds(600)))
        }
    }
}
