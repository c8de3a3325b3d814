internal import Foundation
internal import Glibc

/// The operating system's user that PostgreSQL runs as. It refuses to run as root.
struct Account: Sendable, Hashable {
    let userID: UInt32
    let groupID: UInt32
    /// Whether it is another user than the one of this process, so that programs must change to it and files be given
    /// to it.
    let isForeign: Bool

    /// This process's own user, or `postgres` if that is root.
    ///
    /// Debian's package makes that account locally, so `/etc/passwd` is all that needs to be read. `nobody` would do
    /// for PostgreSQL, but other services share it, and they could then read the database.
    static func current(passwd: String = "/etc/passwd") throws(PostgresServerError) -> Account {
        guard geteuid() == 0 else { return Account(userID: geteuid(), groupID: getegid(), isForeign: false) }
        let lines = (try? String(contentsOfFile: passwd, encoding: .utf8)) ?? ""
        for line in lines.split(separator: "\n") {
            let fields = line.split(separator: ":", omittingEmptySubsequences: false)
            guard fields.count > 3, fields[0] == "postgres", let user = UInt32(fields[2]), let group = UInt32(fields[3])
            else { continue }
            return Account(userID: user, groupID: group, isForeign: true)
        }
        throw PostgresServerError(
            "PostgreSQL refuses to run as root and there is no account `postgres` to run it as. Make one with "
                + "`apt-get install postgresql` or `useradd --system postgres`, or start as another user.")
    }

    /// Whether the account may pass through every directory down to `path`, as far as they exist.
    func canReach(_ path: String) -> Bool {
        guard isForeign else { return true }
        var prefix = ""
        for component in path.split(separator: "/") {
            prefix += "/" + component
            guard let attributes = try? FileManager.default.attributesOfItem(atPath: prefix) else { return true }
            // Of a link, what counts is where it leads.
            let resolved = URL(filePath: prefix).resolvingSymlinksInPath().path(percentEncoded: false)
            let target = (try? FileManager.default.attributesOfItem(atPath: resolved)) ?? attributes
            let mode = (target[.posixPermissions] as? NSNumber)?.uint32Value ?? 0
            let owner = (target[.ownerAccountID] as? NSNumber)?.uint32Value
            let group = (target[.groupOwnerAccountID] as? NSNumber)?.uint32Value
            let bit: UInt32 = owner == userID ? 0o100 : group == groupID ? 0o010 : 0o001
            if mode & bit == 0 { return false }
        }
        return true
    }

    /// Makes a directory that only this account, and root, can look into; an existing one is checked and corrected.
    func makePrivateDirectory(_ path: String) throws {
        let files = FileManager.default
        if !files.fileExists(atPath: path) {
            try files.createDirectory(atPath: path, withIntermediateDirectories: false)
        }
        let attributes = try files.attributesOfItem(atPath: path)
        let owner = (attributes[.ownerAccountID] as? NSNumber)?.uint32Value
        guard attributes[.type] as? FileAttributeType == .typeDirectory, owner == userID || owner == geteuid() else {
            throw PostgresServerError("\(path) belongs to somebody else; remove it or choose another data directory")
        }
        var wanted: [FileAttributeKey: Any] = [.posixPermissions: 0o700]
        if isForeign {
            wanted[.ownerAccountID] = NSNumber(value: userID)
            wanted[.groupOwnerAccountID] = NSNumber(value: groupID)
        }
        try files.setAttributes(wanted, ofItemAtPath: path)
    }
}
