/// Why a call had no answer. Each describes itself in a sentence that whoever wrote the URL may read.
package enum EgressFailure: Error, Hashable, Sendable, CustomStringConvertible {
    case invalidURL(String)
    /// The method or a header cannot be sent; the reason.
    case invalidRequest(String)
    /// The policy forbids the address; what it is.
    case refused(IPAddress, String)
    /// A name has no address; the name and the reason.
    case notResolved(String, String)
    /// No address takes a connection; the last one tried and the reason.
    case cannotConnect(IPAddress, String)
    case timedOut(Phase)
    /// The response has more bytes than this.
    case tooLarge(Int)
    case tlsFailed(String)
    /// The bound is reached: that many calls are being made.
    case busy(EgressBound)
    /// Something that is no answer came, or the end of the connection.
    case broken(String)
    /// The task that called was cancelled.
    case cancelled

    /// A part of a call, in order.
    package enum Phase: String, Sendable {
        case resolving, connecting, securing, answering, reading
    }

    package var description: String {
        switch self {
        case .invalidURL(let reason): "the URL is invalid: \(reason)"
        case .invalidRequest(let reason): "the request is invalid: \(reason)"
        case .refused(let address, let reason):
            "\(address) is not called because it is \(reason); --egress-allow \(address.block) would allow it"
        case .notResolved(let name, let reason): "\(name) has no address: \(reason)"
        case .cannotConnect(let address, let reason): "cannot connect to \(address): \(reason)"
        case .timedOut(let phase): "timed out while \(phase.activity)"
        case .tooLarge(let limit): "the response has more than \(limit) bytes"
        case .tlsFailed(let reason): "TLS failed: \(reason)"
        case .busy(let bound): "already \(bound.limit) calls at once for \(bound.name)"
        case .broken(let reason): "the connection broke: \(reason)"
        case .cancelled: "the call was cancelled"
        }
    }
}

extension EgressFailure.Phase {
    fileprivate var activity: String {
        switch self {
        case .resolving: "resolving the name"
        case .connecting: "connecting"
        case .securing: "agreeing on TLS"
        case .answering: "waiting for the response"
        case .reading: "reading the response"
        }
    }
}

extension IPAddress {
    /// The flag's value that allows this address alone.
    fileprivate var block: String { "\(unmapped)/\(unmapped.family.bits)" }
}
