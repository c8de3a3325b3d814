internal import AsyncHTTPClient
package import Documents
internal import Foundation
internal import NIOCore
internal import NIOFoundationCompat
internal import NIOHTTP1

/// Calls Sluice's REST API as a script with curl would.
package struct APIClient: Sendable {
    /// An answer: status, headers by lower-case name, and the document (`null` if the body is no JSON).
    package struct Answer: Sendable {
        package var status: Int
        package var headers: [String: String]
        package var body: JSONValue
        package var text: String
    }

    /// For example `http://127.0.0.1:8080`.
    package let base: String
    package let token: String

    package init(base: String, token: String) {
        self.base = base
        self.token = token
    }

    package func get(_ path: String, headers: [String: String] = [:]) async throws -> Answer {
        try await send("GET", path, nil, headers)
    }

    /// PUT that means it: `If-Match: *` is not needed to create, and is given to replace.
    @discardableResult
    package func put(_ path: String, _ body: JSONValue, headers: [String: String] = [:]) async throws -> Answer {
        let answer = try await send("PUT", path, body, headers)
        guard answer.status == 428 else { return answer }
        return try await send("PUT", path, body, headers.merging(["If-Match": "*"]) { own, _ in own })
    }

    @discardableResult
    package func post(_ path: String, _ body: JSONValue? = nil, headers: [String: String] = [:]) async throws -> Answer
    {
        try await send("POST", path, body, headers)
    }

    @discardableResult
    package func delete(_ path: String) async throws -> Answer {
        try await send("DELETE", path, nil, ["If-Match": "*"])
    }

    /// Sends one request.
    ///
    /// - Throws: whatever the HTTP client throws when there is no answer; every status is an ``Answer``.
    package func send(
        _ method: String, _ path: String, _ body: JSONValue?, _ headers: [String: String]
    ) async throws -> Answer {
        var request = HTTPClientRequest(url: base + path)
        request.method = HTTPMethod(rawValue: method)
        request.headers.add(name: "Authorization", value: "Bearer \(token)")
        if let body {
            request.headers.add(name: "Content-Type", value: "application/json")
            request.body = .bytes(ByteBuffer(data: try JSONEncoder().encode(body)))
        }
        for (name, value) in headers { request.headers.replaceOrAdd(name: name, value: value) }
        let response = try await HTTPClient.shared.execute(request, timeout: .seconds(40))
        let bytes = try await response.body.collect(upTo: 16 << 20)
        let names = response.headers.map { ($0.name.lowercased(), $0.value) }
        return Answer(
            status: Int(response.status.code),
            headers: Dictionary(names, uniquingKeysWith: { $0 + ", " + $1 }),
            body: (try? JSONValue(json: Data(buffer: bytes))) ?? .null,
            text: String(buffer: bytes))
    }
}

extension APIClient.Answer {
    /// This answer if its status is 2xx.
    ///
    /// - Throws: ``LabError`` with the problem document otherwise.
    @discardableResult
    package func expectingSuccess(_ what: String) throws -> APIClient.Answer {
        guard (200..<300).contains(status) else { throw LabError("\(what): \(status) \(text)") }
        return self
    }
}
