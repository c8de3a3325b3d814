import Foundation
import Testing

@testable import PostgresServer

@Suite("Where a private PostgreSQL goes")
struct PlacementTests {
    private let own = Account(userID: 1, groupID: 1, isForeign: false)
    /// An account that owns nothing.
    private let stranger = Account(userID: 64_999, groupID: 64_999, isForeign: true)

    @Test("below the data directory, socket included")
    func ordinary() {
        let layout = Layout(dataDirectory: "/srv/sluice", account: own, fallback: "/var/lib/sluice")
        #expect(layout.cluster == "/srv/sluice/postgres")
        #expect(layout.socketDirectory == "/srv/sluice/postgres.run")
        #expect(!layout.isElsewhere)
    }

    @Test(
        "with the socket in a short path if the directory's is too long or odd",
        arguments: [
            "/srv/" + String(repeating: "long/", count: 20) + "end", "/srv/with space", "/srv/quo'te", "/srv/a,b",
        ])
    func socket(_ directory: String) {
        let layout = Layout(dataDirectory: directory, account: own, fallback: "/var/lib/sluice")
        #expect(layout.cluster == directory + "/postgres")
        #expect(layout.socketDirectory.hasPrefix("/tmp/sluice-"))
        #expect(layout == Layout(dataDirectory: directory, account: own, fallback: "/var/lib/sluice"))
    }

    @Test("below the fallback if the account cannot enter the data directory")
    func unreachable() throws {
        let secret = "/tmp/sluice-secret-\(String(UInt64.random(in: 0 ... .max), radix: 36))"
        try FileManager.default.createDirectory(
            atPath: secret, withIntermediateDirectories: false, attributes: [.posixPermissions: 0o700])
        defer { try? FileManager.default.removeItem(atPath: secret) }
        let layout = Layout(dataDirectory: secret + "/data", account: stranger, fallback: "/var/lib/sluice")
        #expect(layout.isElsewhere)
        #expect(layout.cluster.hasPrefix("/var/lib/sluice/"))
    }

    @Test("nowhere without PostgreSQL, and the message says what to install")
    func missing() {
        #expect {
            try Installation.find(searchPath: ["/nonexistent"])
        } throws: { error in
            "\(error)".contains("apt-get install postgresql")
        }
    }

    @Test("nowhere for root without an account, and the message says how to make one", .enabled(if: geteuid() == 0))
    func noAccount() {
        #expect {
            try Account.current(passwd: "/dev/null")
        } throws: { error in
            "\(error)".contains("useradd --system postgres")
        }
    }
}
