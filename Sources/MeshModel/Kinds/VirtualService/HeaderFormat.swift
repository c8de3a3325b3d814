internal import MeshCore

/// Envoy's substitution format, in the values of headers that a rule sets or adds, as in Istio: `%REQ(x-user)%` stands
/// for the request's header `x-user`, and `%%` for one percent sign.
///
/// Only commands are let through that every supported Envoy knows, and that tell about the request and its way. Others could
/// have Envoy refuse the routes of everybody, or carry out of a sidecar what its workload's neighbours must not see.
///
/// Source: https://www.envoyproxy.io/docs/envoy/v1.40.0/configuration/advanced/substitution_formatter
package enum HeaderFormat {
    /// The argument that may stand behind a command's name.
    private enum Argument {
        case nothing
        /// `(name)`, `(name?alternative)`, either with `:length` behind it.
        case headers
        /// Nothing, or `(format)` as of strftime.
        case time
    }

    private static let commands: [String: Argument] = {
        let facts = """
            BYTES_RECEIVED BYTES_SENT CONNECTION_ID CONNECTION_TERMINATION_DETAILS DOWNSTREAM_DIRECT_REMOTE_ADDRESS
            DOWNSTREAM_DIRECT_REMOTE_ADDRESS_WITHOUT_PORT DOWNSTREAM_LOCAL_ADDRESS DOWNSTREAM_LOCAL_ADDRESS_WITHOUT_PORT
            DOWNSTREAM_LOCAL_PORT DOWNSTREAM_LOCAL_SUBJECT DOWNSTREAM_LOCAL_URI_SAN DOWNSTREAM_PEER_FINGERPRINT_256
            DOWNSTREAM_PEER_ISSUER DOWNSTREAM_PEER_SERIAL DOWNSTREAM_PEER_SUBJECT DOWNSTREAM_PEER_URI_SAN
            DOWNSTREAM_REMOTE_ADDRESS DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT DOWNSTREAM_REMOTE_PORT DOWNSTREAM_TLS_CIPHER
            DOWNSTREAM_TLS_VERSION DURATION FILTER_CHAIN_NAME GRPC_STATUS GRPC_STATUS_NUMBER HOSTNAME PROTOCOL
            REQUESTED_SERVER_NAME REQUEST_DURATION RESPONSE_CODE RESPONSE_CODE_DETAILS RESPONSE_DURATION RESPONSE_FLAGS
            RESPONSE_FLAGS_LONG ROUTE_NAME STREAM_ID TRACE_ID UNIQUE_ID UPSTREAM_CLUSTER UPSTREAM_CONNECTION_ID
            UPSTREAM_HOST UPSTREAM_LOCAL_ADDRESS UPSTREAM_LOCAL_ADDRESS_WITHOUT_PORT UPSTREAM_LOCAL_PORT UPSTREAM_PROTOCOL
            UPSTREAM_REMOTE_ADDRESS UPSTREAM_REMOTE_ADDRESS_WITHOUT_PORT UPSTREAM_REMOTE_PORT
            UPSTREAM_REQUEST_ATTEMPT_COUNT UPSTREAM_TRANSPORT_FAILURE_REASON VIRTUAL_CLUSTER_NAME
            """
        var commands: [String: Argument] = [
            "REQ": .headers, "RESP": .headers, "TRAILER": .headers, "START_TIME": .time,
        ]
        for name in facts.split(whereSeparator: \.isWhitespace) { commands[String(name)] = .nothing }
        return commands
    }()

    /// The names of the commands that may stand in a value, sorted.
    package static var names: [String] { commands.keys.sorted() }

    private static let closed = "its answer is not about the request but about the sidecar that carries it out"
    /// Known commands that are refused, with the reason.
    private static let refused: [String: String] = [
        "ENVIRONMENT": "it reads the environment of the sidecar, which may hold secrets", "FILE_CONTENT": closed,
        "SECRET": closed, "CEL": closed, "FILTER_STATE": closed, "UPSTREAM_FILTER_STATE": closed,
        "DYNAMIC_METADATA": closed, "UPSTREAM_METADATA": closed, "CLUSTER_METADATA": closed, "METADATA": closed,
        "PER_REQUEST_STATE": closed,
    ]

    /// Why a value is not accepted.
    ///
    /// - Returns: a sentence and, for an unknown command, those that there are; `nil` for a good value.
    package static func problem(in value: String) -> (detail: String, choices: [String])? {
        let bytes = Array(value.utf8)
        return strays(in: bytes).first.map { why(bytes[$0...], $0) }
    }

    /// The value as Envoy is to read it, whatever it is: each `%` that begins no command of the table stands for itself.
    package static func escaped(_ value: String) -> String {
        guard value.utf8.contains(percent) else { return value }
        let bytes = Array(value.utf8)
        var escaped: [UInt8] = []
        var start = 0
        for stray in strays(in: bytes) {
            escaped += bytes[start...stray]
            escaped.append(percent)
            start = stray + 1
        }
        return String(decoding: escaped + bytes[start...], as: UTF8.self)
    }

    private static let percent = UInt8(ascii: "%")
    /// The longest argument, in bytes, with its parentheses.
    private static let maxArgument = 600

    /// The index of each `%` that begins no command and is no part of a `%%`.
    private static func strays(in bytes: [UInt8]) -> [Int] {
        var strays: [Int] = []
        var place = 0
        while let next = bytes[place...].firstIndex(of: percent) {
            if let end = end(ofCommand: bytes[next...]) {
                place = end
            } else {
                strays.append(next)
                place = next + 1
            }
        }
        return strays
    }

    /// The index behind the command, or the `%%`, with which the text begins; `nil`: it begins with neither.
    private static func end(ofCommand text: ArraySlice<UInt8>) -> Int? {
        let rest = text.dropFirst()
        if rest.first == percent { return rest.startIndex + 1 }
        let name = name(of: text)
        guard let argument = commands[name] else { return nil }
        var end = rest.startIndex + name.utf8.count
        if argument != .nothing, byte(text, end) == UInt8(ascii: "(") {
            guard let close = text[end...].prefix(maxArgument).firstIndex(of: UInt8(ascii: ")")) else { return nil }
            let inner = text[(end + 1)..<close]
            guard argument == .time ? isTimeFormat(inner) : isHeaders(inner) else { return nil }
            end = close + 1
            if argument == .headers, byte(text, end) == UInt8(ascii: ":") {
                let digits = text[(end + 1)...].prefix(6).prefix { (48...57).contains($0) }
                guard (1...5).contains(digits.count) else { return nil }
                end = digits.endIndex
            }
        } else if argument == .headers {
            return nil
        }
        return byte(text, end) == percent ? end + 1 : nil
    }

    /// The text behind the `%` that it begins with, as far as it could be a command's name; at most 64 bytes.
    private static func name(of text: ArraySlice<UInt8>) -> String {
        let name = text.dropFirst().prefix(64).prefix {
            $0 == UInt8(ascii: "_") || (48...57).contains($0) || (65...90).contains($0)
        }
        return String(decoding: name, as: UTF8.self)
    }

    private static func byte(_ text: ArraySlice<UInt8>, _ index: Int) -> UInt8? {
        text.indices.contains(index) ? text[index] : nil
    }

    /// One or two names of headers with `?` in between.
    private static func isHeaders(_ bytes: ArraySlice<UInt8>) -> Bool {
        let names = bytes.split(separator: UInt8(ascii: "?"), omittingEmptySubsequences: false)
        return names.count <= 2
            && names.allSatisfy { !$0.contains(percent) && HTTPToken.isValid(String(decoding: $0, as: UTF8.self)) }
    }

    /// Text with conversions that make no line end and need nothing but the time.
    private static func isTimeFormat(_ bytes: ArraySlice<UInt8>) -> Bool {
        guard !bytes.isEmpty else { return false }
        var rest = bytes
        while let byte = rest.popFirst() {
            guard byte == percent else { continue }
            if let digit = rest.first, (49...57).contains(digit) {
                rest = rest.dropFirst()
                guard rest.popFirst() == UInt8(ascii: "f") else { return false }
            } else {
                guard let conversion = rest.popFirst(), "aAbBdeFfHIjmMpsSTuwyYzZ".utf8.contains(conversion) else {
                    return false
                }
            }
        }
        return true
    }

    /// The error in the text that begins with a stray `%`, and the commands that may be meant.
    private static func why(_ text: ArraySlice<UInt8>, _ place: Int) -> (detail: String, choices: [String]) {
        let name = name(of: text)
        let place = "at byte \(place)"
        if let reason = refused[name] { return ("%\(name)% \(place) is not allowed: \(reason)", []) }
        switch commands[name] {
        case .headers?:
            return (
                "%\(name)% \(place) must be %\(name)(header)%, %\(name)(header?alternative)% or have a length, as in %\(name)(header):10%",
                []
            )
        case .time?:
            return ("%\(name)% \(place) must be %\(name)% or have a format such as %\(name)(%Y-%m-%dT%H:%M:%S%z)%", [])
        case .nothing?: return ("%\(name)% \(place) has no arguments", [])
        case nil:
            return (
                "the % \(place) begins no known command; one that stands for itself is written %%",
                name.isEmpty ? [] : names
            )
        }
    }
}
