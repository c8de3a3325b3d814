package import GRPCServer
internal import NIOCore

/// The receiver of clients' statistics (`opentelemetry.proto.collector.metrics.v1.MetricsService`).
///
/// Who reports is known from the call's metadata: a message says nothing of it. What is in it is read elsewhere than on the event
/// loop, as it can be megabytes.
package struct StatsService: GRPCService {
    let admission: any XDSDelegate
    let delegate: any StatsDelegate

    package init(admission: any XDSDelegate, delegate: any StatsDelegate) {
        self.admission = admission
        self.delegate = delegate
    }

    package func open(_ call: GRPCCall) -> (any GRPCCallHandler)? {
        guard call.path.service == "opentelemetry.proto.collector.metrics.v1.MetricsService",
            call.path.method == "Export"
        else { return nil }
        return StatsCall(call, self)
    }
}

/// One message and its answer. Bound to its event loop.
private final class StatsCall: GRPCCallHandler {
    private let call: GRPCCall
    private let service: StatsService
    private var hasMessage = false

    init(_ call: GRPCCall, _ service: StatsService) {
        self.call = call
        self.service = service
    }

    func received(_ message: ByteBuffer) {
        guard !hasMessage else { return call.finish(GRPCStatus(.invalidArgument, "a call has one message")) }
        hasMessage = true
        do throws(GRPCStatus) {
            guard let identity = try service.admission.identity(of: call.metadata) else {
                throw GRPCStatus(.unauthenticated, "no token: use the bootstrap that the API gives for this proxy")
            }
            call.connection.trust()
            let this = NIOLoopBound(self, eventLoop: call.eventLoop)
            let loop = call.eventLoop
            service.delegate.record(Array(message.readableBytesView), of: identity) { status in
                loop.execute { this.value.answer(status) }
            }
        } catch {
            call.finish(error)
        }
    }

    private func answer(_ status: StatsStatus) {
        switch status {
        case .taken:
            // An ExportMetricsServiceResponse, which has no fields that need saying.
            call.send(OutboundMessage(ByteBuffer()))
            call.finish(.ok)
        case .unreadable(let reason): call.finish(GRPCStatus(.invalidArgument, reason))
        case .full(let reason): call.finish(GRPCStatus(.resourceExhausted, reason))
        }
    }

    func inputClosed() {
        if !hasMessage { call.finish(GRPCStatus(.invalidArgument, "the call has no message")) }
    }

    func writable() {}

    func closed(_ reason: GRPCCloseReason) {}
}

/// Bound to its event loop.
@available(*, unavailable)
extension StatsCall: Sendable {}
