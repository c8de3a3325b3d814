internal import Documents
internal import Foundation

/// Asks a Prometheus, or what speaks its HTTP API, for the value of an expression at one moment.
package struct PrometheusClient: Sendable {
    private let address: ProviderAddress
    private let client: EgressClient

    /// - Parameter address: without `/api/v1`.
    package init(_ address: ProviderAddress, client: EgressClient) {
        self.address = address
        self.client = client
    }

    /// Evaluates an expression that gives a scalar, or a vector of one sample; an empty one is no data.
    ///
    /// - Parameter milliseconds: the moment, since 1970; now by the provider's clock if `nil`.
    package func value(of query: String, at milliseconds: Int64? = nil) async -> NumberOutcome {
        var parameters = "query=" + ProviderAddress.percentEncoded(query)
        if let milliseconds { parameters += "&time=" + Self.seconds(milliseconds) }
        do throws(EgressFailure) {
            let request = try address.request("/api/v1/query", query: parameters)
            return await NumberOutcome.of(request, by: client) { Self.read(status: $0.status, body: $0.body) }
        } catch {
            return .failure(error.description)
        }
    }

    private static func seconds(_ milliseconds: Int64) -> String {
        let (seconds, rest) = milliseconds.magnitude.quotientAndRemainder(dividingBy: 1000)
        return (milliseconds < 0 ? "-" : "") + "\(seconds).\(String(1000 + rest).dropFirst())"
    }

    /// Reads a response (Prometheus: HTTP API, instant queries). Its warnings do not change the value.
    static func read(status: Int, body: [UInt8]) -> NumberOutcome {
        let document: JSONValue?
        do throws(JSONFault) {
            document = try JSONValue(json: Data(body))
        } catch {
            guard (200..<300).contains(status) else { return .status(status, reason: nil) }
            return .failure("the answer is no JSON: \(NumberOutcome.excerpt(error.reason))")
        }
        guard (200..<300).contains(status) else { return .status(status, reason: document?["error"]?.stringValue) }
        guard document?["status"]?.stringValue == "success" else {
            let reason = document?["error"]?.stringValue ?? "it does not say success"
            return .failure("the provider answers an error: \(NumberOutcome.excerpt(reason))")
        }
        let data = document?["data"]
        switch data?["resultType"]?.stringValue {
        case "scalar": return sample(data?["result"])
        case "vector": return vector(data?["result"])
        case let type?: return .failure("the expression gives a \(NumberOutcome.excerpt(type)), not one number")
        case nil: return .failure("the answer is none of Prometheus: it lacks a result type")
        }
    }

    private static func vector(_ result: JSONValue?) -> NumberOutcome {
        guard let samples = result?.arrayValue else {
            return .failure("the answer is none of Prometheus: the vector is no array")
        }
        guard let first = samples.first else { return .noData }
        guard samples.count == 1 else { return .failure("the expression gives \(samples.count) samples, not one") }
        if first["value"] == nil, first["histogram"] != nil { return .failure("the expression gives a histogram") }
        return sample(first["value"])
    }

    /// Reads `[1700000000.123, "0.5"]`.
    private static func sample(_ pair: JSONValue?) -> NumberOutcome {
        guard let pair = pair?.arrayValue, pair.count == 2, let text = pair.last?.stringValue,
            pair.first?.numberValue != nil
        else { return .failure("the answer is none of Prometheus: a sample is no pair of time and value") }
        switch text {
        case "NaN": return .finite(.nan)
        case "+Inf", "Inf": return .finite(.infinity)
        case "-Inf": return .finite(-.infinity)
        default:
            // Swift reads more than Prometheus writes, such as `0x1p3` and `nan(1)`.
            guard text.utf8.allSatisfy({ $0.isDigit || "+-.eE".utf8.contains($0) }), let number = Double(text) else {
                return .failure("the value is no number: \(NumberOutcome.excerpt(text))")
            }
            return .finite(number)
        }
    }
}
