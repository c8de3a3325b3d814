internal import Analysis
internal import Documents
internal import GrayRelease
internal import MeshCore
internal import MeshModel
internal import MeshStore

/// Copies the templates that a release names, with arguments in their places.
extension ControlPlane {
    /// Metrics that one run measures at most.
    private static let maxMetrics = 20

    /// The templates of all analyses of a plan, as they are now.
    ///
    /// - Parameters:
    ///   - release: names them.
    ///   - pointer: of the release's `spec`; what cannot be copied is reported there.
    func analysisPlan(
        of spec: ReleaseSpec, in namespace: Name, _ mesh: MeshKey, at pointer: JSONPointer, log: ViolationLog
    ) async throws -> AnalysisPlan {
        let strategy = pointer.appending("strategy")
        var copier = TemplateCopier(store: store, mesh: mesh, namespace: namespace, log: log)
        var plan = AnalysisPlan()
        for (index, step) in spec.strategy.steps.enumerated() {
            guard let use = step.analysis else { continue }
            let place = strategy.appending("steps").appending(index).appending("analysis")
            plan.steps[index] = try await copier.entries(use, at: place, limit: Self.maxMetrics)
        }
        if let background = spec.strategy.backgroundAnalysis {
            let place = strategy.appending("backgroundAnalysis")
            plan.background = try await copier.entries(background.use, at: place, limit: Self.maxMetrics)
        }
        if let use = spec.strategy.postPromotionAnalysis {
            let place = strategy.appending("postPromotionAnalysis")
            plan.postPromotion = try await copier.entries(use, at: place, limit: Self.maxMetrics)
            for entry in plan.postPromotion where entry.spec.metrics.contains(where: \.isComparing) {
                log.report(
                    place.appending("templates"), .conflict,
                    "template \(entry.name) compares with stable, which has no traffic after the promotion")
            }
        }
        return plan
    }
}

/// Reads each template once.
private struct TemplateCopier {
    let store: MeshStore
    let mesh: MeshKey
    let namespace: Name
    let log: ViolationLog
    private var known: [String: AnalysisTemplateSpec] = [:]

    init(store: MeshStore, mesh: MeshKey, namespace: Name, log: ViolationLog) {
        self.store = store
        self.mesh = mesh
        self.namespace = namespace
        self.log = log
    }

    mutating func entries(_ use: AnalysisUse, at pointer: JSONPointer, limit: Int) async throws -> [AnalysisPlan.Entry]
    {
        var entries: [AnalysisPlan.Entry] = []
        var declared: Set<String> = []
        for (index, name) in use.templates.enumerated() {
            let place = pointer.appending("templates").appending(index)
            guard let template = try await template(name, at: place) else { continue }
            let own = use.args.filter { argument in template.args.contains { $0.name == argument.key } }
            declared.formUnion(template.args.map(\.name))
            guard let spec = template.resolved(with: own, at: pointer.appending("args"), log: log) else { continue }
            entries.append(AnalysisPlan.Entry(name: name, spec: spec))
        }
        for argument in use.args.keys.sorted()
        where !declared.contains(argument) && entries.count == use.templates.count {
            log.report(
                pointer.appending("args").appending(argument), .unknownField, "is no argument of any of the templates",
                choices: declared.sorted())
        }
        let count = entries.reduce(0) { $0 + $1.spec.metrics.count }
        if count > limit {
            log.report(
                pointer.appending("templates"), .tooMany, "have \(count) metrics; a run measures at most \(limit)")
        }
        return entries
    }

    private mutating func template(_ name: String, at pointer: JSONPointer) async throws -> AnalysisTemplateSpec? {
        if let builtin = BuiltinTemplates.all[name] { return builtin }
        if let template = known[name] { return template }
        guard let object = Name(name) else {
            log.report(
                pointer, .unknownReference, "there is no template \(name)", choices: BuiltinTemplates.all.keys.sorted())
            return nil
        }
        let key = ObjectKey.namespaced(
            .analysisTemplate, NamespacedName(namespace: namespace, name: object), in: mesh)
        guard let stored = try await store.fetch(key),
            let spec = AnalysisTemplateSpec.read(stored.spec, at: .root, log: ViolationLog(ofStored: true))
        else {
            log.report(
                pointer, .unknownReference, "there is no analysis template \(name) in namespace \(namespace)",
                choices: BuiltinTemplates.all.keys.sorted())
            return nil
        }
        known[name] = spec
        return spec
    }
}
