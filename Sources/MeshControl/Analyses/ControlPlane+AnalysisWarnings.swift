internal import Analysis
internal import Documents
internal import GrayRelease
internal import MeshCore
internal import MeshModel
internal import MeshStore

extension ControlPlane {
    /// Proxies that a warning names.
    private static let named = 5

    /// Warns of a plan that goes by the server's own figures where there are proxies that report too little for them.
    func analysisWarnings(of plan: AnalysisPlan, in mesh: MeshKey) async throws -> [Violation] {
        let entries = plan.steps.values.flatMap { $0 } + plan.background + plan.postPromotion
        guard entries.contains(where: { $0.spec.metrics.contains { $0.builtin != nil } }) else { return [] }
        let (count, names) = try await translatingErrors {
            try await store.proxiesWithCountsOnly(of: mesh, naming: Self.named)
        }
        guard count > 0 else { return [] }
        let list = names.map(\.description).joined(separator: ", ") + (count > names.count ? ", …" : "")
        return [
            Violation(
                JSONPointer.spec.appending("strategy"), .consequence,
                "\(count) connected proxies report how many requests they send and no more, because their bootstraps are an earlier server's, "
                    + "and are in no measurement: \(list)")
        ]
    }
}
