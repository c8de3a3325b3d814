import Foundation
import HTTPFixtures
import TestSupport
import Testing

@testable import Egress

@Suite("The guard of calls to the outside", .timeLimit(.minutes(5)))
struct EgressGuardTests {
    private static let long = Duration.seconds(60)

    @Test(
        "refuses this machine and its neighbours by whatever name",
        arguments: [
            ("https://localhost:PORT/", "loopback"), ("http://localhost:PORT/", "loopback"),
            ("http://127.0.0.1:PORT/", "loopback"), ("http://[::ffff:127.0.0.1]:PORT/", "loopback"),
            ("http://[::ffff:7f00:1]:PORT/", "loopback"), ("https://[::1]:PORT/", "loopback"),
            ("https://[::]:PORT/", "unspecified"), ("https://0.0.0.0:PORT/", "unspecified"),
            ("https://[64:ff9b::7f00:1]:PORT/", "loopback"), ("http://169.254.169.254/latest/meta-data", "link-local"),
            ("http://8.8.8.8/", "not to be called without TLS"),
        ])
    func refused(url: String, reason: String) async throws {
        try await ScriptedServer.run(.ok("")) { server in
            try await withClient(EgressPolicy()) { client in
                let url = url.replacing("PORT", with: "\(server.port)")
                let failure = try await client.failure(of: EgressRequest(url: url, timeout: Self.long))
                guard case .refused(let address, reason) = failure else {
                    Issue.record("\(failure)")
                    return
                }
                #expect("\(failure)".contains("\(address)") && "\(failure)".contains("--egress-allow"))
                #expect(server.connections == 0)
            }
        }
    }

    @Test(
        "does not take numbers for addresses, which the C library would",
        arguments: ["2130706433", "0x7f.1", "0177.0.0.1", "127.1", "0x7f000001", "017700000001"])
    func numbers(host: String) async throws {
        try await ScriptedServer.run(.ok("")) { server in
            try await withClient { client in
                let url = "http://\(host):\(server.port)/"
                let failure = try await client.failure(of: EgressRequest(url: url, timeout: Self.long))
                guard case .invalidURL = failure else {
                    Issue.record("\(failure)")
                    return
                }
                #expect(server.connections == 0)
            }
        }
    }

    @Test("takes an IPv4-mapped address for the one that it stands for")
    func mapped() async throws {
        try await ScriptedServer.run(.ok("")) { server in
            try await withClient { client in
                let request = EgressRequest(url: "http://[::ffff:127.0.0.1]:\(server.port)/", timeout: Self.long)
                let found1 = try await client.call(request).status
                #expect(found1 == 200)
            }
        }
    }

    @Test("asks for a name once, and calls the address that it has checked")
    func rebinding() async throws {
        let resolver = ScriptedResolver(["127.0.0.2"], ["127.0.0.1"], ["127.0.0.1"])
        let policy = EgressPolicy(allowed: [try #require(CIDR("127.0.0.2/32"))])
        try await ScriptedServer.run(.ok("checked"), host: "127.0.0.2") { checked in
            try await ScriptedServer.run(.ok("another"), port: checked.port) { another in
                try await withClient(policy, resolver: resolver) { client in
                    let request = EgressRequest(url: "http://Rebinding.test:\(checked.port)/", timeout: Self.long)
                    let response = try await client.call(request)
                    #expect(response.body == Array("checked".utf8))
                    #expect(resolver.names == ["rebinding.test"])
                    #expect(checked.requests.first?.contains("Host: rebinding.test:\(checked.port)\r\n") == true)
                    // The next call asks anew, and refuses what it hears then.
                    let failure = try await client.failure(of: request)
                    #expect("\(failure)".hasPrefix("127.0.0.1 is not called because it is loopback; "))
                    #expect(resolver.names.count == 2)
                    #expect(checked.connections == 1 && another.connections == 0)
                }
            }
        }
    }

    @Test("refuses a name for one bad address, wherever it stands")
    func oneIsBad() async throws {
        for addresses in [
            ["127.0.0.1", "10.0.0.1"], ["10.0.0.1", "127.0.0.1"], ["127.0.0.1", "127.0.0.1", "10.0.0.1"],
        ] {
            try await ScriptedServer.run(.ok("")) { server in
                try await withClient(resolver: ScriptedResolver(addresses)) { client in
                    let failure = try await client.failure(
                        of: EgressRequest(url: "http://mixed.test:\(server.port)/", timeout: Self.long))
                    #expect("\(failure)".hasPrefix("10.0.0.1 is not called because it is private; "))
                    #expect(server.connections == 0)
                }
            }
        }
    }

    @Test("tries the next address where nobody takes the connection, and not all of very many")
    func nextAddress() async throws {
        try await ScriptedServer.run(.ok("second"), host: "127.0.0.3") { server in
            let resolver = ScriptedResolver(
                ["127.0.0.2", "127.0.0.3"], ["127.0.0.4", "127.0.0.5", "127.0.0.6", "127.0.0.7", "127.0.0.3"], [])
            try await withClient(resolver: resolver) { client in
                let request = EgressRequest(url: "http://two.test:\(server.port)/", timeout: Self.long)
                let found2 = try await client.call(request).body
                #expect(found2 == Array("second".utf8))
                let failure = try await client.failure(of: request)
                #expect("\(failure)".hasPrefix("cannot connect to 127.0.0.7: "), "\(failure)")
                let none = try await client.failure(of: request)
                #expect("\(none)".contains("has no address"), "\(none)")
            }
        }
    }

    @Test("says that a name has no address")
    func unknownName() async throws {
        try await withClient { client in
            let failure = try await client.failure(
                of: EgressRequest(url: "https://unknown.invalid/", timeout: Self.long))
            #expect("\(failure)".hasPrefix("unknown.invalid has no address: "), "\(failure)")
        }
    }

    @Test("finds what the machine itself knows, and fails once it is shut down")
    func system() async throws {
        try await ScriptedServer.run(.ok("")) { server in
            let request = EgressRequest(url: "http://localhost:\(server.port)/", timeout: Self.long)
            let client = try await withClient { client in
                let found3 = try await client.call(request).status
                #expect(found3 == 200)
                return client
            }
            let failure = try await client.failure(of: request)
            #expect("\(failure)".hasPrefix("the connection broke: "))
        }
    }

    @Test("asks no proxy of the environment")
    func proxy() async {
        await #expect(processExitsWith: .success) {
            try await ScriptedServer.run(.ok("proxy")) { proxy in
                for name in ["http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"] {
                    _ = unsafe setenv(name, proxy.url, 1)
                }
                try await ScriptedServer.run(.ok("itself")) { server in
                    try await withClient { client in
                        let response = try await client.call(EgressRequest(url: server.url, timeout: .seconds(60)))
                        guard response.body == Array("itself".utf8), proxy.connections == 0 else { exit(1) }
                    }
                }
            }
        }
    }

    @Test("trusts a certificate for the name alone that is called")
    func tls() async throws {
        let resolver = ScriptedResolver(["127.0.0.1"], ["127.0.0.1"])
        try await ScriptedServer.run(.ok("secret"), tls: TestCertificate.server()) { server in
            try await withClient(resolver: resolver, trusting: TestCertificate.certificatePEM) { client in
                for host in ["provider.test", "127.0.0.1"] {
                    let response = try await client.call(
                        EgressRequest(url: "https://\(host):\(server.port)/", timeout: Self.long))
                    #expect(response.body == Array("secret".utf8))
                }
                let failure = try await client.failure(
                    of: EgressRequest(url: "https://other.test:\(server.port)/", timeout: Self.long))
                guard case .tlsFailed = failure else {
                    Issue.record("\(failure)")
                    return
                }
            }
            #expect(server.requests.count == 2)
        }
    }

    @Test("does not talk to whom it does not trust, nor to whom speaks no TLS")
    func untrusted() async throws {
        try await ScriptedServer.run(.ok(""), tls: TestCertificate.server()) { server in
            try await withClient { client in
                let failure = try await client.failure(
                    of: EgressRequest(url: "https://127.0.0.1:\(server.port)/", timeout: Self.long))
                #expect("\(failure)" == "TLS failed: certificate verify failed")
                #expect(server.requests.isEmpty)
            }
        }
        try await ScriptedServer.run(.close) { server in
            try await withClient { client in
                let failure = try await client.failure(
                    of: EgressRequest(url: "https://127.0.0.1:\(server.port)/", timeout: Self.long))
                #expect("\(failure)".hasPrefix("TLS failed: "), "\(failure)")
            }
        }
    }
}
