internal import Foundation

/// The directories of a private PostgreSQL.
struct Layout: Sendable, Hashable {
    /// Holds the rest.
    let base: String
    /// Whether ``base`` is not the data directory, because the account cannot reach that.
    let isElsewhere: Bool
    /// PGDATA.
    var cluster: String { base + "/postgres" }
    /// The beginning of PGDATA's names while it is being made; renamed to ``cluster`` when it is complete.
    var unfinished: String { base + "/postgres.new" }
    /// The file for what `postgres` prints before its own log begins.
    var startLog: String { socketDirectory + "/start.log" }
    let socketDirectory: String
    var socketLock: String { socketDirectory + Self.socketName + ".lock" }

    /// Length of `sun_path` in `struct sockaddr_un` without its NUL (unix(7)).
    private static let longestSocketPath = 107
    private static let socketName = "/.s.PGSQL.5432"

    /// Decides where things go. The same answer for the same directory, so a later run finds them again.
    ///
    /// - Parameter fallback: PostgreSQL does not run as root and resolves every path itself, so a data directory below,
    ///   say, `/root` with mode 0700 is out of its account's reach; then the cluster goes below this directory.
    init(dataDirectory: String, account: Account, fallback: String) {
        let absolute = URL(filePath: dataDirectory).standardizedFileURL.path(percentEncoded: false)
        let path = absolute.count > 1 && absolute.hasSuffix("/") ? String(absolute.dropLast()) : absolute
        isElsewhere = !account.canReach(path)
        base = !isElsewhere ? path : fallback + "/" + Self.fingerprint(path)
        let nearby = base + "/postgres.run"
        let isPlain = nearby.utf8.allSatisfy { byte in
            switch byte {
            case 0x30...0x39, 0x41...0x5A, 0x61...0x7A: true
            default: "/._-".utf8.contains(byte)
            }
        }
        // Odd characters would need quoting in three syntaxes; such paths and long ones get a short one instead.
        let fits = nearby.utf8.count + Self.socketName.utf8.count <= Self.longestSocketPath
        socketDirectory = isPlain && fits ? nearby : "/tmp/sluice-" + Self.fingerprint(base)
    }

    /// Sixteen hexadecimal digits: FNV-1a, 64 bit. A name, not a secret.
    private static func fingerprint(_ text: String) -> String {
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        for byte in text.utf8 { hash = (hash ^ UInt64(byte)) &* 0x0000_0100_0000_01b3 }
        let digits = String(hash, radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }
}
