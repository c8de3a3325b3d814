internal import CLibPQ

/// Owns one `PGresult` and clears it exactly once (libpq 34.3.1, "PQclear").
///
/// With ``ConnectionHandle`` and ``Poller`` this is all the code of the target that touches raw memory.
///
/// `@unchecked Sendable`: libpq 34.20, "Behavior in Threaded Programs": "PGresult objects are normally read-only after
/// creation, and so can be passed around freely between threads." Only reading functions are called here, and the one
/// writer, `PQclear`, runs in `deinit` of a type that cannot be copied, when no other reference exists.
@safe
struct ResultHandle: ~Copyable, @unchecked Sendable {
    /// The result of `PQresultStatus`, reduced to what pipelines need to tell apart.
    enum Status {
        /// A command without rows succeeded, or the query text was empty.
        case command
        case rows
        case pipelineSync
        /// Not run because an earlier statement of the pipeline failed.
        case pipelineAborted
        case failed
        /// `COPY`, which this target does not speak.
        case copy
    }

    private let pointer: OpaquePointer

    init(owning pointer: OpaquePointer) { unsafe self.pointer = unsafe pointer }

    deinit { unsafe PQclear(pointer) }

    var status: Status {
        switch unsafe PQresultStatus(pointer) {
        case PGRES_COMMAND_OK, PGRES_EMPTY_QUERY, PGRES_NONFATAL_ERROR: .command
        case PGRES_TUPLES_OK, PGRES_SINGLE_TUPLE: .rows
        case PGRES_PIPELINE_SYNC: .pipelineSync
        case PGRES_PIPELINE_ABORTED: .pipelineAborted
        case PGRES_COPY_IN, PGRES_COPY_OUT, PGRES_COPY_BOTH: .copy
        default: .failed
        }
    }

    var rowCount: Int { Int(unsafe PQntuples(pointer)) }
    var columnCount: Int { Int(unsafe PQnfields(pointer)) }

    func columnName(_ column: Int) -> String {
        guard let name = unsafe PQfname(pointer, Int32(clamping: column)) else { return "" }
        return unsafe String(cString: name)
    }

    func columnType(_ column: Int) -> PostgresType {
        PostgresType(oid: unsafe PQftype(pointer, Int32(clamping: column)))
    }

    /// Whether the column came in binary format; only the simple protocol answers in text.
    func isBinary(_ column: Int) -> Bool { unsafe PQfformat(pointer, Int32(clamping: column)) == 1 }

    /// Gives the bytes of one cell in place, without a copy; `nil` for NULL and for a cell that does not exist.
    ///
    /// libpq checks both indices itself and answers NULL outside the range.
    func withCell<Value, Failure: Error>(
        row: Int, column: Int, _ body: (Span<UInt8>?) throws(Failure) -> Value
    ) throws(Failure) -> Value {
        let (row, column) = (Int32(clamping: row), Int32(clamping: column))
        guard unsafe PQgetisnull(pointer, row, column) == 0, let start = unsafe PQgetvalue(pointer, row, column) else {
            return try body(nil)
        }
        let count = Int(unsafe PQgetlength(pointer, row, column))
        // Valid during `body` only, and the span cannot escape it; `self` keeps the memory alive.
        return try body(
            unsafe Span(_unsafeStart: UnsafeRawPointer(start).assumingMemoryBound(to: UInt8.self), count: count))
    }

    /// Rows that an INSERT, UPDATE, DELETE, MERGE or SELECT touched or returned (`PQcmdTuples`).
    var affectedRows: Int {
        guard let text = unsafe PQcmdTuples(pointer) else { return 0 }
        return unsafe Int(String(cString: text)) ?? 0
    }

    /// The command tag, such as `INSERT 0 1` or `ROLLBACK` (`PQcmdStatus`).
    var commandTag: String {
        guard let text = unsafe PQcmdStatus(pointer) else { return "" }
        return unsafe String(cString: text)
    }

    var errorMessage: String {
        guard let text = unsafe PQresultErrorMessage(pointer) else { return "" }
        return unsafe String(cString: text)
    }

    /// One field of an error report. Codes: PostgreSQL 55.8, "Error and Notice Message Fields".
    func errorField(_ code: Unicode.Scalar) -> String? {
        guard let text = unsafe PQresultErrorField(pointer, Int32(code.value)) else { return nil }
        return unsafe String(cString: text)
    }
}

extension Span where Element == UInt8 {
    /// A copy of the bytes.
    func copied() -> [UInt8] { unsafe withUnsafeBufferPointer { unsafe Array($0) } }
}
