internal import Synchronization

/// A connection being made. A class, because the steps run on other threads than the task that waits for them.
final class Attempt: Sendable {
    private let handle: Mutex<ConnectionHandle?>
    private let options: ConnectionOptions

    /// Blocks while names are resolved.
    init(_ options: ConnectionOptions) {
        self.options = options
        handle = Mutex(
            ConnectionHandle(
                defaults: options.limits?.keywords ?? [], conninfo: options.conninfo,
                overrides: [("client_encoding", "UTF8"), ("fallback_application_name", options.applicationName)]))
    }

    var socket: Int32 { handle.withLock { $0?.socket ?? -1 } }

    /// Why there is no connection.
    var failure: PostgresError {
        PostgresError(connecting: options.redacted(handle.withLock { $0?.errorMessage ?? "" }))
    }

    /// May block.
    func poll() -> ConnectionHandle.Polling { handle.withLock { $0?.poll() ?? .failed } }

    /// Hands the finished connection over.
    func finish(_ options: ConnectionOptions) throws(PostgresError) -> Connection {
        guard let handle = handle.withLock({ $0.take() }), handle.becomeReady() else {
            throw failure
        }
        return Connection(handle, options: options)
    }
}
