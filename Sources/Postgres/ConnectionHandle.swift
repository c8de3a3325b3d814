internal import CLibPQ
internal import Glibc

/// Owns one `PGconn` and finishes it exactly once (libpq 34.1, "PQfinish").
///
/// Every function here returns without waiting for the network once ``becomeReady()`` has made the connection
/// non-blocking. Before that, ``init(defaults:conninfo:overrides:)`` and ``poll()`` may resolve host names and read certificate
/// files, so they run outside the cooperative pool.
///
/// `@unchecked Sendable`: libpq 34.20 asks only that two threads do not use one `PGconn` at the same time. The handle
/// cannot be copied and lives inside a `Mutex`, so the holder of the lock is its only user.
@safe
struct ConnectionHandle: ~Copyable, @unchecked Sendable {
    /// The next thing that ``poll()`` asks for (`PostgresPollingStatusType`).
    enum Polling { case read, write, ready, failed }

    private let pointer: OpaquePointer?

    /// Begins to connect (`PQconnectStartParams`).
    ///
    /// - Parameter defaults: keywords that those in `conninfo` win over.
    /// - Parameter conninfo: a connection string or `postgresql://` URL, several hosts included.
    /// - Parameter overrides: keywords that win over those in `conninfo`.
    init(defaults: [(String, String)], conninfo: String, overrides: [(String, String)]) {
        // libpq copies all of them before it returns; `strdup` gives pointers that do not move meanwhile.
        // Of a keyword that comes twice the last one counts.
        let all = defaults + [("dbname", conninfo)] + overrides
        var keywords: [UnsafePointer<CChar>?] = unsafe all.map { unsafe UnsafePointer(strdup($0.0)) }
        var values: [UnsafePointer<CChar>?] = unsafe all.map { unsafe UnsafePointer(strdup($0.1)) }
        unsafe keywords.append(nil)
        unsafe values.append(nil)
        unsafe pointer = PQconnectStartParams(keywords, values, 1)
        unsafe (keywords + values).forEach { unsafe free(UnsafeMutablePointer(mutating: $0)) }
        // libpq prints notices to standard error unless told otherwise.
        unsafe PQsetNoticeProcessor(pointer, { _, _ in }, nil)
        // What the server says of a connection that it refuses is told as text only; so with its code.
        _ = unsafe PQsetErrorVerbosity(pointer, PQERRORS_VERBOSE)
    }

    deinit { unsafe PQfinish(pointer) }

    // MARK: Connecting

    /// Takes the next step of connecting (`PQconnectPoll`).
    func poll() -> Polling {
        guard unsafe PQstatus(pointer) != CONNECTION_BAD else { return .failed }
        return switch unsafe PQconnectPoll(pointer) {
        case PGRES_POLLING_READING: .read
        case PGRES_POLLING_WRITING: .write
        case PGRES_POLLING_OK: .ready
        default: .failed
        }
    }

    /// Makes a fresh connection non-blocking and enters pipeline mode.
    func becomeReady() -> Bool {
        unsafe PQsetnonblocking(pointer, 1) == 0 && PQenterPipelineMode(pointer) == 1
    }

    // MARK: State

    var socket: Int32 { unsafe PQsocket(pointer) }
    var isBad: Bool { unsafe PQstatus(pointer) == CONNECTION_BAD }
    var isIdleOutsideTransaction: Bool { unsafe PQtransactionStatus(pointer) == PQTRANS_IDLE }
    var backendPID: Int32 { unsafe PQbackendPID(pointer) }
    var usesTLS: Bool { unsafe PQsslInUse(pointer) == 1 }

    var errorMessage: String {
        guard let text = unsafe PQerrorMessage(pointer) else { return "out of memory" }
        return unsafe String(cString: text)
    }

    // MARK: Sending; each returns false if libpq refused

    func sendPrepare(_ name: String, sql: String, types: [UInt32]) -> Bool {
        unsafe PQsendPrepare(pointer, name, sql, Int32(clamping: types.count), types) == 1
    }

    /// Sends one execution of a prepared statement; parameters and results in binary format.
    func sendExecute(_ name: String, _ parameters: Statement.Parameters) -> Bool {
        let slots = parameters.slots
        return unsafe withUnsafeTemporaryAllocation(of: UnsafePointer<CChar>?.self, capacity: slots.count) { values in
            unsafe withUnsafeTemporaryAllocation(of: Int32.self, capacity: slots.count * 2) { numbers in
                unsafe parameters.bytes.withUnsafeBytes { bytes in
                    var offset = 0
                    for index in slots.indices {
                        let length = slots[index].length
                        // libpq takes a null pointer for NULL, so an empty value needs some other address.
                        let start =
                            unsafe (bytes.baseAddress.map { unsafe $0 + offset })
                            ?? UnsafeRawPointer(numbers.baseAddress)
                        unsafe values.initializeElement(
                            at: index, to: length < 0 ? nil : start?.assumingMemoryBound(to: CChar.self))
                        unsafe numbers.initializeElement(at: index, to: max(length, 0))
                        unsafe numbers.initializeElement(at: slots.count + index, to: 1)
                        offset += Int(max(length, 0))
                    }
                    return unsafe PQsendQueryPrepared(
                        pointer, name, Int32(clamping: slots.count), values.baseAddress, numbers.baseAddress,
                        numbers.baseAddress.map { unsafe $0 + slots.count }, 1) == 1
                }
            }
        }
    }

    /// Sends one statement without parameters and without preparing it.
    func sendPlain(_ sql: String) -> Bool {
        unsafe PQsendQueryParams(pointer, sql, 0, nil, nil, nil, nil, 1) == 1
    }

    func sendSync() -> Bool { unsafe PQpipelineSync(pointer) == 1 }

    /// Sends several statements by the simple protocol. Only outside pipeline mode.
    func sendScript(_ sql: String) -> Bool { unsafe PQsendQuery(pointer, sql) == 1 }

    func enterPipeline() -> Bool { unsafe PQenterPipelineMode(pointer) == 1 }
    func exitPipeline() -> Bool { unsafe PQexitPipelineMode(pointer) == 1 }

    /// The rest in the output buffer: 0 nothing, 1 something, -1 the connection failed (`PQflush`).
    func flush() -> Int32 { unsafe PQflush(pointer) }

    // MARK: Receiving

    /// Reads what the socket has (`PQconsumeInput`); false if the connection failed.
    func consumeInput() -> Bool { unsafe PQconsumeInput(pointer) == 1 }

    /// Whether ``consumeInput()`` has anything to read, be it the end of the stream. One system call.
    var hasInput: Bool {
        var byte: UInt8 = 0
        return unsafe recv(socket, &byte, 1, Int32(MSG_PEEK | MSG_DONTWAIT)) >= 0
            || (errno != EAGAIN && errno != EINTR)
    }

    /// Whether ``nextResult()`` would have to wait.
    var isBusy: Bool { unsafe PQisBusy(pointer) == 1 }

    /// The next result; `nil` ends the results of one command (`PQgetResult`).
    func nextResult() -> ResultHandle? {
        guard let result = unsafe PQgetResult(pointer) else { return nil }
        return unsafe ResultHandle(owning: result)
    }

    /// The next notification that has already been read (`PQnotifies`).
    func nextNotification() -> Notification? {
        guard let notify = unsafe PQnotifies(pointer) else { return nil }
        defer { unsafe PQfreemem(notify) }
        return unsafe Notification(
            channel: String(cString: notify.pointee.relname), payload: String(cString: notify.pointee.extra))
    }

    /// A handle to cancel this connection's statement from another thread.
    func canceller() -> CancelHandle? {
        guard let cancel = unsafe PQgetCancel(pointer) else { return nil }
        return unsafe CancelHandle(owning: cancel)
    }
}

/// Owns one `PGcancel` (libpq 34.7, "Canceling Queries in Progress").
///
/// `@unchecked Sendable`: a `PGcancel` is a copy of address and key; libpq 34.7 says it is safe to use in another
/// thread than the one that uses the connection.
@safe
final class CancelHandle: @unchecked Sendable {
    private let pointer: OpaquePointer

    init(owning pointer: OpaquePointer) { unsafe self.pointer = unsafe pointer }

    deinit { unsafe PQfreeCancel(pointer) }

    /// Opens a connection, sends the request and waits until the server has passed it on. Blocks.
    func send() {
        unsafe withUnsafeTemporaryAllocation(of: CChar.self, capacity: 256) { buffer in
            _ = unsafe PQcancel(pointer, buffer.baseAddress, Int32(buffer.count))
        }
    }
}
