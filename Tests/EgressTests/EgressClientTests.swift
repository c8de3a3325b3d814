import Foundation
import HTTPFixtures
import TestSupport
import Testing

@testable import Egress

@Suite("Calls to the outside", .timeLimit(.minutes(5)))
struct EgressClientTests {
    private static let long = Duration.seconds(60)

    @Test("send what they are to send, and have the response")
    func answers() async throws {
        try await ScriptedServer.run(.status("201 Created", "hello", "X-Test: a\r\nX-Test: b\r\n")) { server in
            try await withClient { client in
                let response = try await client.call(
                    EgressRequest(
                        method: "POST", url: "\(server.url)/a%20b?c=d",
                        headers: [("X-Key", "v ü"), ("User-Agent", "me")],
                        body: Array("body".utf8), timeout: Self.long))
                #expect(response.status == 201)
                #expect(response.body == Array("hello".utf8))
                #expect(response.headers.filter { $0.name == "X-Test" }.map(\.value) == ["a", "b"])
                #expect(
                    server.requests == [
                        "POST /a%20b?c=d HTTP/1.1\r\nHost: 127.0.0.1:\(server.port)\r\nConnection: close\r\n"
                            + "X-Key: v ü\r\nUser-Agent: me\r\nContent-Length: 4\r\n\r\nbody"
                    ])
            }
        }
    }

    @Test(
        "understand the ways in which a response can end",
        arguments: [
            "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", "HTTP/1.1 200 OK\r\n\r\nok",
            "HTTP/1.0 200 OK\r\n\r\nok",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\no\r\n1\r\nk\r\n0\r\n\r\n",
            "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
        ])
    func framings(text: String) async throws {
        try await ScriptedServer.run(.answerAndClose(Array(text.utf8))) { server in
            try await withClient { client in
                let response = try await client.call(EgressRequest(url: server.url, timeout: Self.long))
                #expect(response.status == 200)
                #expect(response.body == Array("ok".utf8))
            }
        }
    }

    @Test("know that the response to HEAD has no body, however long it says it is")
    func head() async throws {
        try await ScriptedServer.run(.answer("HTTP/1.1 200 OK\r\nContent-Length: 99999999\r\n\r\n")) { server in
            try await withClient { client in
                let response = try await client.call(EgressRequest(method: "HEAD", url: server.url, timeout: Self.long))
                #expect(response.status == 200)
                #expect(response.body.isEmpty)
            }
        }
    }

    @Test("do not follow a redirect, which is an answer")
    func redirect() async throws {
        let location = "Location: http://169.254.169.254/latest/meta-data\r\n"
        try await ScriptedServer.run(.status("302 Found", "", location)) { server in
            try await withClient { client in
                let response = try await client.call(EgressRequest(url: server.url, timeout: Self.long))
                #expect(response.status == 302)
                #expect(server.connections == 1)
            }
        }
    }

    @Test("leave a compressed body as it is")
    func compressed() async throws {
        // gzip of 1 KiB of zeros.
        let gzip: [UInt8] = [
            0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 3, 0x63, 0x60, 0x18, 5, 0xA3, 0x60, 0x14, 0x0C, 0x77, 0, 0, 0x2E, 0xAF,
            0xB5,
            0xEF, 0, 4, 0, 0,
        ]
        let head = "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: \(gzip.count)\r\n\r\n"
        try await ScriptedServer.run(.answerAndClose(Array(head.utf8) + gzip)) { server in
            try await withClient { client in
                let response = try await client.call(EgressRequest(url: server.url, timeout: Self.long))
                #expect(response.body == gzip)
                #expect(server.requests.allSatisfy { !$0.lowercased().contains("accept-encoding") })
            }
        }
    }

    @Test(
        "fail when the body is too large, said or not",
        arguments: ["Content-Length: 10485760\r\n\r\n", "\r\n", "Transfer-Encoding: chunked\r\n\r\nA00000\r\n"])
    func tooLarge(framing: String) async throws {
        try await ScriptedServer.run(.zeros("HTTP/1.1 200 OK\r\n\(framing)", 10 << 20)) { server in
            try await withClient { client in
                let failure = try await client.failure(of: EgressRequest(url: server.url, timeout: Self.long))
                #expect(failure == .tooLarge(1 << 20))
                #expect("\(failure)" == "the response has more than 1048576 bytes")
            }
        }
    }

    @Test("take a body that is exactly as large as it may be")
    func exact() async throws {
        try await ScriptedServer.run(.zeros("HTTP/1.1 200 OK\r\nContent-Length: 10485760\r\n\r\n", 10 << 20)) {
            server in
            try await withClient { client in
                var request = EgressRequest(url: server.url, timeout: Self.long, responseLimit: 10 << 20)
                let found1 = try await client.call(request).body.count
                #expect(found1 == 10 << 20)
                request.responseLimit -= 1
                let found2 = try await client.failure(of: request)
                #expect(found2 == .tooLarge(request.responseLimit))
            }
        }
    }

    @Test(
        "fail when what comes is no response, or not all of one",
        arguments: [
            "", "hello\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nshort", "HTTP/1.1 200 OK\r\n",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", "HTTP/1.1 20x OK\r\n\r\n",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab", "HTTP/2 200\r\n\r\n",
            "SSH-2.0-OpenSSH_9.2\r\n",
            "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
            "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
            "HTTP/1.1 200 OK\r\nX: " + String(repeating: "a", count: 20_000) + "\r\n\r\n",
            "HTTP/1.1 200 OK\r\n" + String(repeating: "X: \(String(repeating: "a", count: 1000))\r\n", count: 100)
                + "\r\n",
        ])
    func broken(text: String) async throws {
        try await ScriptedServer.run(.answerAndClose(Array(text.utf8))) { server in
            try await withClient { client in
                let failure = try await client.failure(of: EgressRequest(url: server.url, timeout: Self.long))
                #expect("\(failure)".hasPrefix("the connection broke: "), "\(failure)")
            }
        }
        try await ScriptedServer.run(.close) { server in
            try await withClient { client in
                let failure = try await client.failure(of: EgressRequest(url: server.url, timeout: Self.long))
                #expect("\(failure)".hasPrefix("the connection broke: "), "\(failure)")
            }
        }
    }

    @Test("end in time while the body comes drop by drop")
    func drip() async throws {
        try await ScriptedServer.run(.drip("HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")) { server in
            try await withClient { client in
                let failure = try await client.failure(of: EgressRequest(url: server.url, timeout: .seconds(1)))
                #expect(failure == .timedOut(.reading))
                #expect("\(failure)" == "timed out while reading the response")
            }
        }
    }

    @Test("end in time while the headers come drop by drop")
    func dripHeaders() async throws {
        try await ScriptedServer.run(.drip("HTTP/1.1 200 OK\r\nX: ")) { server in
            try await withClient { client in
                let failure = try await client.failure(of: EgressRequest(url: server.url, timeout: .seconds(1)))
                #expect(failure == .timedOut(.answering))
            }
        }
    }

    @Test("end in time when nobody answers")
    func silence() async throws {
        try await ScriptedServer.run(.hold("")) { server in
            try await withClient { client in
                let failure = try await client.failure(of: EgressRequest(url: server.url, timeout: .seconds(1)))
                #expect(failure == .timedOut(.answering))
                #expect("\(failure)" == "timed out while waiting for the response")
                let secured = try await client.failure(
                    of: EgressRequest(url: "https://127.0.0.1:\(server.port)", timeout: .seconds(1)))
                #expect(secured == .timedOut(.securing))
            }
        }
    }

    @Test("end when their task is cancelled")
    func cancelled() async throws {
        try await ScriptedServer.run(.hold("")) { server in
            try await withClient { client in
                let bound = EgressBound("one", 1)
                let request = EgressRequest(url: server.url, timeout: Self.long, bounds: [bound])
                try await withThrowingTaskGroup(of: EgressFailure.self) { group in
                    // One is sent, the other waits.
                    group.addTask { try await client.failure(of: request) }
                    group.addTask { try await client.failure(of: request) }
                    try await until("one waits for the other") { server.held == 1 && client.waiting == 1 }
                    group.cancelAll()
                    for _ in 0..<2 {
                        let failure = try await group.next()
                        #expect(failure == .cancelled)
                    }
                }
                #expect(client.waiting == 0)
            }
        }
    }

    @Test("name who does not take the connection")
    func refusedConnection() async throws {
        let port = try await ScriptedServer.run(.close) { $0.port }
        try await withClient { client in
            let failure = try await client.failure(
                of: EgressRequest(url: "http://127.0.0.1:\(port)", timeout: Self.long))
            guard case .cannotConnect(let address, _) = failure else {
                Issue.record("\(failure)")
                return
            }
            #expect(address.description == "127.0.0.1")
            #expect("\(failure)".hasPrefix("cannot connect to 127.0.0.1: "))
            #expect("\(failure)".contains("refused"))
        }
    }

    @Test("do not wait long for a connection that nobody takes")
    func fullBacklog() async throws {
        try await FullBacklog.run { port in
            let request = EgressRequest(url: "http://127.0.0.1:\(port)", timeout: Self.long)
            try await withClient(connectTimeout: .milliseconds(300)) { client in
                let failure = try await client.failure(of: request)
                #expect("\(failure)" == "cannot connect to 127.0.0.1: it does not answer")
            }
            try await withClient(connectTimeout: Self.long) { client in
                var request = request
                request.timeout = .milliseconds(300)
                let found3 = try await client.failure(of: request)
                #expect(found3 == .timedOut(.connecting))
            }
        }
    }

    @Test(
        "are refused by the method or the headers before anything is sent",
        arguments: [
            ("GET\r\nX: y", "a", "b"), ("CONNECT", "a", "b"), ("get", "a", "b"), ("", "a", "b"), ("GET", "", "b"),
            ("GET", "a b", "b"), ("GET", "a:", "b"), ("GET", "a\r\nx", "b"), ("GET", "ä", "b"),
            ("GET", "a", "b\r\nX: y"),
            ("GET", "a", "b\n"), ("GET", "a", "\0"), ("GET", "a", "b\u{7F}"), ("GET", "Host", "other"),
            ("POST", "content-length", "0"), ("POST", "Transfer-Encoding", "chunked"), ("GET", "connection", "x"),
        ])
    func requests(method: String, name: String, value: String) async throws {
        try await ScriptedServer.run(.ok("")) { server in
            try await withClient { client in
                let failure = try await client.failure(
                    of: EgressRequest(method: method, url: server.url, headers: [(name, value)], timeout: Self.long))
                #expect("\(failure)".hasPrefix("the request is invalid: "), "\(failure)")
                #expect(server.connections == 0)
            }
        }
    }

    @Test("end without a trap when the time is none, or endless")
    func times() async throws {
        try await ScriptedServer.run(.ok("")) { server in
            try await withClient { client in
                for timeout in [Duration.zero, .seconds(-5), .seconds(Int64.min)] {
                    let failure = try await client.failure(of: EgressRequest(url: server.url, timeout: timeout))
                    #expect("\(failure)".hasPrefix("timed out while "), "\(failure)")
                }
                let found4 = try await client.call(EgressRequest(url: server.url, timeout: .seconds(Int64.max))).status
                #expect(found4 == 200)
            }
        }
    }
}
