package import Analysis
internal import MeshCore

/// The count of some requests, as sidecars keep it.
package struct TrafficCounts: Hashable, Sendable {
    /// The answers that callers got, by status code of HTTP; 503 and 504 also where nothing answered.
    package var answers = CodeCounts()
    /// The answers after which a sidecar tried again, by status code.
    package var retried = CodeCounts()
    /// The answers to calls of gRPC among ``answers``, by gRPC's status.
    package var calls = CodeCounts()
    /// How long answers took.
    package var latency = LatencyHistogram()
    /// Bytes that came from the destination, and that went there.
    package var receivedBytes: UInt64 = 0
    package var sentBytes: UInt64 = 0

    package init() {}

    package mutating func merge(_ other: TrafficCounts) {
        answers.merge(other.answers)
        retried.merge(other.retried)
        calls.merge(other.calls)
        latency.merge(other.latency)
        receivedBytes = receivedBytes.addingSaturating(other.receivedBytes)
        sentBytes = sentBytes.addingSaturating(other.sentBytes)
    }
}

extension TrafficCounts {
    /// Requests, as callers count them.
    package var requests: UInt64 { answers.total }
    /// Requests and further attempts at them, as the destination counts them.
    package var attempts: UInt64 { requests.addingSaturating(retried.total) }

    /// Requests that failed for their callers: 5xx, no answer, and of gRPC the statuses that say that it is not the caller's fault.
    ///
    /// A sidecar that answers a call itself counts it twice, as 503 and as UNAVAILABLE; such pairs are one failure here. So where
    /// one port has calls and other requests, failures of the others can be missed in the number, as many as calls were unavailable.
    package var errors: UInt64 {
        let failedCalls = calls.total(Self.isFailure)
        let unavailable = calls.total { $0 == 2 || $0 == 14 }
        return failedCalls.addingSaturating(answers.total(Self.isServerError).subtractingSaturating(unavailable))
    }

    /// Attempts that failed, whatever a further one brought.
    package var failedAttempts: UInt64 { errors.addingSaturating(retried.total) }

    private static func isServerError(_ code: Int) -> Bool { (500...599).contains(code) }

    /// UNKNOWN, DEADLINE_EXCEEDED, RESOURCE_EXHAUSTED, UNIMPLEMENTED, INTERNAL, UNAVAILABLE, DATA_LOSS (gRPC, "Status codes").
    private static func isFailure(_ status: Int) -> Bool { [2, 4, 8, 12, 13, 14, 15].contains(status) }
}
