internal import HTTPTypes
internal import Hummingbird
internal import Logging
internal import MeshModel
internal import NIOCore

/// A service's instance: an HTTP server on loopback that says which version it is.
///
/// Every answer has the version in the header `x-version` and in its JSON body, beside what it was asked.
package struct Workload: Sendable {
    package let version: String
    package let port: Int

    package init(version: String, port: Int) {
        self.version = version
        self.port = port
    }

    /// Serves until the task is cancelled.
    package func run() async throws {
        let version = version
        var logger = Logger(label: "workload.\(version)")
        // Below that, the server reports the cancellation that ends it as an error.
        logger.logLevel = .critical
        let application = Application(
            responder: CallbackResponder { (request: Request, _: BasicRequestContext) in
                var headers = HTTPFields()
                headers[.contentType] = "application/json"
                if let name = HTTPField.Name("x-version") { headers[name] = version }
                let body = #"{"version":"\#(version)","method":"\#(request.method.rawValue)"}"# + "\n"
                return Response(status: .ok, headers: headers, body: .init(byteBuffer: ByteBuffer(string: body)))
            },
            configuration: .init(address: .hostname("127.0.0.1", port: port), serverName: nil),
            logger: logger)
        try await application.run()
    }
}
