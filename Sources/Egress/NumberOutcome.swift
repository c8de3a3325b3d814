/// The result of asking a provider for one number.
package enum NumberOutcome: Hashable, Sendable {
    /// Finite.
    case value(Double)
    /// The provider answered that it has none.
    case noData
    /// No answer, or one that is no number; a sentence.
    case failure(String)
}

extension NumberOutcome {
    /// A call whose response is to be read, or why there is none.
    static func of(
        _ request: EgressRequest, by client: EgressClient, _ read: (EgressResponse) -> NumberOutcome
    ) async -> NumberOutcome {
        do {
            return read(try await client.call(request).redacting(request.headers))
        } catch {
            return .failure(error.description)
        }
    }

    /// A number if it is one in the end.
    static func finite(_ number: Double) -> NumberOutcome {
        if number.isNaN { return .failure("the answer is NaN") }
        return number.isFinite ? .value(number) : .failure("the answer is \(number > 0 ? "+Inf" : "-Inf")")
    }

    /// A response that does not say success.
    ///
    /// - Parameter reason: what the provider says about it.
    static func status(_ status: Int, reason: String?) -> NumberOutcome {
        let redirect = (300..<400).contains(status) ? ", a redirect, which is not followed" : ""
        return .failure("the provider answers \(status)\(redirect)" + (reason.map { ": \(excerpt($0))" } ?? ""))
    }

    /// The beginning of a foreign text, at most 200 bytes on one line.
    static func excerpt(_ text: String) -> String {
        var bytes = 0
        var result = ""
        for scalar in text.unicodeScalars {
            bytes += scalar.utf8.count
            guard bytes <= 200 else { break }
            let isControl = scalar.properties.generalCategory == .control
            result.unicodeScalars.append(isControl ? " " : scalar)
        }
        return result
    }
}

extension EgressResponse {
    /// The response without what was sent as credentials: a peer that repeats them would have them told to whoever reads its answer.
    fileprivate func redacting(_ headers: [(name: String, value: String)]) -> EgressResponse {
        var response = self
        for (_, value) in headers {
            guard let secret = value.split(separator: " ").last, secret.utf8.count >= 4 else { continue }
            let text = String(decoding: response.body, as: UTF8.self)
            if text.contains(secret) { response.body = Array(text.replacing(secret, with: "<redacted>").utf8) }
        }
        return response
    }
}
