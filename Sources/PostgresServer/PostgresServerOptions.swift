internal import Foundation

/// The place and the set-up of a private PostgreSQL.
package struct PostgresServerOptions: Sendable {
    /// Sluice's data directory; the cluster becomes its subdirectory `postgres`.
    package var dataDirectory: String
    /// Whether a commit survives a power cut (`fsync`). Off only for tests.
    package var isDurable = true
    /// Whether the role may create databases, as tests want it.
    package var mayCreateDatabases = false
    /// Directories to look for PostgreSQL's programs in; `nil` for the usual ones, see ``Installation``.
    package var searchPath: [String]?
    /// How long a start, crash recovery included, or a stop may take. Default 60 s.
    package var patience: Duration = .seconds(60)
    /// The directory for the cluster if the account that runs PostgreSQL cannot reach ``dataDirectory``.
    package var fallbackDirectory = "/var/lib/sluice"

    package init(dataDirectory: String) { self.dataDirectory = dataDirectory }
}

/// Why a private PostgreSQL cannot be had. The text is for the operator.
package struct PostgresServerError: Error, Hashable, Sendable, CustomStringConvertible {
    package let description: String

    init(_ description: String) { self.description = description }

    /// The operating system's text for an error.
    static func reason(_ number: Int32) -> String { unsafe String(cString: strerror(number)) }

    /// Any error as a sentence. Foundation's errors about files print their innards instead.
    package static func sentence(_ error: any Error) -> String {
        guard type(of: error) is NSError.Type || error is CocoaError else { return "\(error)" }
        let cocoa = error as NSError
        var reason = cocoa.localizedDescription
        if let cause = cocoa.userInfo[NSUnderlyingErrorKey] as? NSError, cause.domain == NSPOSIXErrorDomain {
            reason = Self.reason(Int32(clamping: cause.code))
        } else if cocoa.domain == NSPOSIXErrorDomain {
            reason = Self.reason(Int32(clamping: cocoa.code))
        } else if cocoa.domain == NSCocoaErrorDomain, let known = Self.cocoaReasons[cocoa.code] {
            reason = known
        }
        let path = cocoa.userInfo[NSFilePathErrorKey] as? String ?? (cocoa.userInfo[NSURLErrorKey] as? URL)?.path
        return path.map { "\($0): \(reason)" } ?? reason
    }

    /// By their codes (`CocoaError.Code`).
    private static let cocoaReasons: [Int: String] = [
        CocoaError.Code.fileNoSuchFile.rawValue: "no such file or directory",
        CocoaError.Code.fileReadNoSuchFile.rawValue: "no such file or directory",
        CocoaError.Code.fileReadNoPermission.rawValue: "permission denied",
        CocoaError.Code.fileWriteNoPermission.rawValue: "permission denied",
        CocoaError.Code.fileWriteFileExists.rawValue: "something of this name is there already",
        CocoaError.Code.fileWriteOutOfSpace.rawValue: "no space left on device",
        CocoaError.Code.fileWriteVolumeReadOnly.rawValue: "read-only file system",
        CocoaError.Code.fileReadUnknown.rawValue: "it cannot be read",
        CocoaError.Code.fileWriteUnknown.rawValue: "it cannot be made or written",
    ]
}
