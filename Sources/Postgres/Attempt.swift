internal import Synchronization

/// A connection being made. A class, because the steps run on other threads than the task that waits for them.
final class Attempt: Sendable {
    private let handle: Mutex<ConnectionHandle?>

    /// Blocks while names are resolved.
    init(_ options: ConnectionOptions) {
        handle = Mutex(
            ConnectionHandle(
                conninfo: options.conninfo,
                overrides: [("client_encoding", "UTF8"), ("fallback_application_name", options.applicationName)]))
    }

    var socket: Int32 { handle.withLock { $0?.socket ?? -1 } }

    var errorMessage: String { handle.withLock { $0?.errorMessage.trimmedLines ?? "" } }

    /// May block.
    func poll() -> ConnectionHandle.Polling { handle.withLock { $0?.poll() ?? .failed } }

    /// Hands the finished connection over.
    func finish(_ options: ConnectionOptions) throws(PostgresError) -> Connection {
        guard let handle = handle.withLock({ $0.take() }), handle.becomeReady() else {
            throw PostgresError(.connectionFailed, errorMessage)
        }
        return Connection(handle, options: options)
    }
}
