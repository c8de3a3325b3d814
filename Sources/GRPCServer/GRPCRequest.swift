internal import HTTP2
internal import NIOCore

/// A request whose headers are those of a gRPC call ("gRPC over HTTP2", Request-Headers).
struct GRPCRequest {
    let path: GRPCPath
    let metadata: GRPCMetadata
    let timeout: TimeAmount?
    /// Whether the client takes answers that are compressed with gzip.
    let acceptsGzip: Bool

    /// Why a request is not served.
    enum Refusal: Error, Equatable {
        /// Not gRPC at all: answered with an HTTP status.
        case http(Int)
        case grpc(GRPCStatus)
    }

    init(_ headers: [HTTP2Header]) throws(Refusal) {
        let pseudo = headers.prefix { $0.name.utf8.first == UInt8(ascii: ":") }
        metadata = GRPCMetadata(fields: Array(headers.dropFirst(pseudo.count)))

        guard pseudo.first(where: { $0.name == ":method" })?.value == "POST" else { throw .http(405) }
        guard let type = metadata.first("content-type"), Self.isGRPC(type) else { throw .http(415) }
        guard metadata.values("te").contains("trailers") else {
            // "Used to detect incompatible proxies": the status could not travel back.
            throw .grpc(GRPCStatus(.internal, "the header te: trailers is missing"))
        }
        let encoding = metadata.first("grpc-encoding") ?? "identity"
        guard encoding == "identity" else {
            throw .grpc(GRPCStatus(.unimplemented, "grpc-encoding \(encoding) is not supported"))
        }
        let path = pseudo.first { $0.name == ":path" }?.value ?? ""
        guard let parsed = GRPCPath(path) else { throw .grpc(GRPCStatus(.unimplemented, "unknown path \(path)")) }
        self.path = parsed
        timeout = try Self.timeout(metadata.first("grpc-timeout"))
        acceptsGzip = metadata.values("grpc-accept-encoding").contains { value in
            value.split { ", \t".contains($0) }.contains("gzip")
        }
    }

    /// `application/grpc`, alone or with a format (`+proto`) or parameters (`;…`).
    private static func isGRPC(_ type: String) -> Bool {
        guard type.hasPrefix("application/grpc") else { return false }
        let rest = type.utf8.dropFirst("application/grpc".utf8.count).first
        return rest == nil || rest == UInt8(ascii: "+") || rest == UInt8(ascii: ";")
    }

    /// One to eight digits and a unit.
    private static func timeout(_ text: String?) throws(Refusal) -> TimeAmount? {
        guard let text else { return nil }
        let units: [Character: Int64] = [
            "H": 3_600_000_000_000, "M": 60_000_000_000, "S": 1_000_000_000, "m": 1_000_000, "u": 1_000, "n": 1,
        ]
        let digits = text.dropLast()
        guard let unit = text.last.flatMap({ units[$0] }), (1...8).contains(digits.utf8.count),
            digits.utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }),
            let value = Int64(digits)
        else { throw .grpc(GRPCStatus(.internal, "grpc-timeout \(text) is malformed")) }
        // 99 999 999 hours do not fit; what is longer than ten years is no deadline.
        let (nanoseconds, overflow) = value.multipliedReportingOverflow(by: unit)
        guard !overflow, nanoseconds < 315_360_000 * 1_000_000_000 else { return nil }
        return .nanoseconds(nanoseconds)
    }
}
