package import Documents
internal import Foundation

/// Asks a provider that answers JSON for the number at one place of its answer.
package struct JSONNumberClient: Sendable {
    private let address: ProviderAddress
    private let client: EgressClient

    package init(_ address: ProviderAddress, client: EgressClient) {
        self.address = address
        self.client = client
    }

    /// Gets a document and reads the number that `pointer` leads to; a missing member and `null` are no data.
    ///
    /// - Parameter path: below the provider's URL; empty, or begins with `/`.
    /// - Parameter query: as it is sent, percent-encoded.
    package func value(at pointer: JSONPointer, path: String, query: String? = nil) async -> NumberOutcome {
        do throws(EgressFailure) {
            let request = try address.request(path, query: query)
            return await NumberOutcome.of(request, by: client) {
                Self.read(status: $0.status, body: $0.body, at: pointer)
            }
        } catch {
            return .failure(error.description)
        }
    }

    static func read(status: Int, body: [UInt8], at pointer: JSONPointer) -> NumberOutcome {
        guard (200..<300).contains(status) else { return .status(status, reason: nil) }
        let document: JSONValue
        do throws(JSONFault) {
            document = try JSONValue(json: Data(body))
        } catch {
            return .failure("the answer is no JSON: \(NumberOutcome.excerpt(error.reason))")
        }
        switch pointer.target(in: document) {
        case .missing, .value(.null): return .noData
        case .astray(let place, let what):
            return .failure("what stands at \(Self.text(place)) is \(NumberOutcome.excerpt(what))")
        case .value(let value):
            guard let number = value.numberValue else {
                return .failure("what stands at \(Self.text(pointer)) is a \(value.typeName), not a number")
            }
            return .finite(number)
        }
    }

    private static func text(_ pointer: JSONPointer) -> String {
        pointer.tokens.isEmpty ? "the root" : NumberOutcome.excerpt(pointer.description)
    }
}
