internal import Documents
internal import HTTPTypes
internal import Hummingbird
internal import NIOCore

extension RequestBody {
    /// Reads the whole body, checked against the header.
    ///
    /// - Throws: ``Problem``: 408 when it has not arrived after `patience`, 413 over the limit, 415 for a media type that the
    ///   route does not take; whatever the connection throws when it breaks.
    func bytes(
        for route: Route, _ head: HTTPRequest, limit: Int, within patience: Duration
    ) async throws -> [UInt8] {
        if let announced = head.headerFields[.contentLength].flatMap(Int.init), announced > limit {
            throw Problem.tooLarge(limit)
        }
        let buffer: ByteBuffer
        do {
            buffer =
                head.announcesBody
                ? try await collect(upTo: limit, within: patience) : try await collect(upTo: limit)
        } catch is NIOTooManyBytesError {
            throw Problem.tooLarge(limit)
        }
        if buffer.readableBytes > 0 { try Self.checkMediaType(for: route, head) }
        return Array(buffer.readableBytesView)
    }

    /// Gives up after `patience`: who sends a byte now and then would keep the connection for ever.
    private func collect(upTo limit: Int, within patience: Duration) async throws -> ByteBuffer {
        try await withThrowingTaskGroup(of: ByteBuffer?.self) { group in
            group.addTask { try await collect(upTo: limit) }
            group.addTask {
                try await Task.sleep(for: patience)
                return nil
            }
            defer { group.cancelAll() }
            guard let buffer = try await group.next() ?? nil else { throw Problem.tooSlow(patience) }
            return buffer
        }
    }

    private static func checkMediaType(for route: Route, _ head: HTTPRequest) throws {
        // Without the field, JSON is meant: there is nothing else here.
        guard let field = head.headerFields[.contentType] else { return }
        let parts = field.split(separator: ";", maxSplits: 1)
        let type = parts.first.map { String($0).trimmed.lowercased() } ?? ""
        let parameters = parts.count > 1 ? String(parts[1]).trimmed.lowercased() : ""
        let charsets = ["", "charset=utf-8", "charset=\"utf-8\""]
        let expected = route.mediaType
        guard type == expected, charsets.contains(parameters) else {
            throw Problem(
                .unsupportedMediaType, "unsupportedMediaType", "the body's Content-Type must be \(expected), in UTF-8",
                headers: route.method == .patch ? [.acceptPatch: expected] : [.accept: expected])
        }
    }
}

extension Route {
    /// The media type of the request's body.
    var mediaType: String {
        if case .mergePatch = body { return "application/merge-patch+json" }
        return "application/json"
    }

    /// The body's value; an empty object for an empty body that may be empty.
    ///
    /// - Throws: ``Problem``: 400 when it is no JSON or is missing.
    func document(_ bytes: [UInt8]) throws -> JSONValue {
        let isRequired =
            switch body {
            case .none: false
            case .json(let required): required
            case .mergePatch: true
            }
        if bytes.isEmpty {
            guard !isRequired else { throw Problem(.badRequest, "malformedBody", "the request needs a JSON body") }
            return .object([:])
        }
        do {
            return try JSONText.parse(bytes)
        } catch {
            throw Problem(.badRequest, "malformedBody", "the body \(error.reason)")
        }
    }
}

extension HTTPRequest {
    /// Whether something follows the header (RFC 9112, section 6).
    var announcesBody: Bool {
        if headerFields[.transferEncoding] != nil { return true }
        return headerFields[.contentLength].map { $0 != "0" } ?? false
    }
}

extension Problem {
    static func tooSlow(_ patience: Duration) -> Problem {
        Problem(
            .requestTimeout, "bodyTimeout", "the body must arrive within \(patience.components.seconds) s",
            headers: [.connection: "close"])
    }

    static func tooLarge(_ limit: Int) -> Problem {
        // What is left of the body is not read, so the connection cannot be used again.
        Problem(
            .contentTooLarge, "bodyTooLarge", "the body must be at most \(limit) bytes", headers: [.connection: "close"]
        )
    }

    static func invalid(_ violations: [Violation]) -> Problem {
        Problem(
            .badRequest, "invalid",
            violations.count == 1
                ? "one thing is wrong with the request" : "\(violations.count) things are wrong with the request",
            errors: violations)
    }
}
