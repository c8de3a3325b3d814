internal import Analysis
internal import Documents
internal import Egress
internal import Foundation
internal import MeshCore
internal import MeshModel
internal import MeshStore

/// Asks providers outside for figures.
struct ProviderReader: Sendable {
    let client: EgressClient
    let control: ControlPlane
    let mesh: MeshKey
    let namespace: Name

    /// Calls of one provider, and of all of a tenant, that go on at a time.
    private static let callsPerProvider = 4
    private static let callsPerTenant = 32

    /// The answer about a window. Everything but one finite number, or that there is none, is a failure: no verdict.
    func reading(of metric: AnalysisMetric, _ window: MetricRun.Window) async throws -> MetricReading {
        do {
            return try await answer(about: metric, window)
        } catch let missing as MissingSecret {
            return MetricReading(.failure(missing.reason))
        }
    }

    private func answer(about metric: AnalysisMetric, _ window: MetricRun.Window) async throws -> MetricReading {
        guard case .provider(let provider) = metric.source else { return MetricReading(.failure("not a provider")) }
        let time = MeasuredTime(from: window.from, to: window.to)
        let outcome: NumberOutcome
        switch provider.query {
        case .builtin: return MetricReading(.failure("a figure of the server"))
        case .prometheus(let query):
            guard let address = try await address(of: query.ref, .prometheus) else { return Self.missing(query.ref) }
            outcome = await PrometheusClient(address, client: client).value(
                of: time.fill(query.query), at: window.to.microseconds / 1_000)
        case .httpJSON(let query):
            guard let address = try await address(of: query.ref, .httpJSON),
                let pointer = JSONPointer(text: query.pointer)
            else { return Self.missing(query.ref) }
            outcome = await JSONNumberClient(address, client: client).value(
                at: pointer, path: time.fill(query.path), query: query.query.map(time.fill))
        }
        switch outcome {
        case .value(let number): return MetricReading(.value(number, baseline: nil), inputs: ["answer": number])
        case .noData: return MetricReading(.value(nil, baseline: nil))
        case .failure(let reason): return MetricReading(.failure(reason))
        }
    }

    private static func missing(_ name: Name) -> MetricReading {
        MetricReading(.failure("there is no metric provider \(name) of this sort any more"))
    }

    private func address(of name: Name, _ source: MetricProviderSpec.Source) async throws -> ProviderAddress? {
        let key = ObjectKey.namespaced(.metricProvider, NamespacedName(namespace: namespace, name: name), in: mesh)
        guard let object = try await control.store.fetch(key), let spec: MetricProviderSpec = object.decodedSpec(),
            spec.source == source
        else { return nil }
        var headers: [(name: String, value: String)] = []
        if let auth = spec.address.auth {
            headers.append(auth.header(try await control.secret(auth.secret, of: key)))
        }
        return ProviderAddress(
            base: spec.address.url, headers: headers, timeout: spec.timeout,
            bounds: [
                EgressBound("calls of one provider (\(mesh)/\(namespace)/\(name))", Self.callsPerProvider),
                EgressBound("calls of one tenant (\(mesh.tenant))", Self.callsPerTenant),
            ])
    }
}

extension ProviderAuth {
    /// The header that says who asks.
    fileprivate func header(_ secret: Secret<String>) -> (name: String, value: String) {
        switch method {
        case .bearer: ("Authorization", "Bearer \(secret.reveal())")
        case .basic(let basic):
            ("Authorization", "Basic " + Data("\(basic.username):\(secret.reveal())".utf8).base64EncodedString())
        case .header(let header): (header.name, secret.reveal())
        }
    }
}
