package import Documents
package import MeshCore

extension ReleaseSpec {
    /// Every port that the release names.
    package var namedPorts: [Int] { (port.map { [$0] } ?? []) + strategy.ports }

    /// The traffic that is compiled of the release before its first step: it splits nothing.
    ///
    /// - Parameter namespace: the release's.
    package func traffic(in namespace: Name) -> ReleaseTraffic {
        ReleaseTraffic(
            service: NamespacedName(namespace: namespace, name: service), port: port, stable: stable.version,
            canary: canary.version, paths: strategy.paths, rules: strategy.rules, ports: strategy.ports,
            stickiness: strategy.stickiness)
    }

    /// Steps in which the canary gets copies of requests besides its share of them: each also of its own.
    private var mirroredSteps: [Int] {
        strategy.steps.indices.filter { index in
            let traffic = strategy.traffic(through: index)
            return traffic.mirror != nil && traffic.share > .none
        }
    }

    /// Warnings of what may not be meant, though it is carried out.
    ///
    /// - Parameter pointer: of the release's `spec`.
    package func warnings(at pointer: JSONPointer) -> [Violation] {
        guard let first = mirroredSteps.first else { return [] }
        let detail =
            "from this step on the canary gets mirrored copies besides its share, of its own requests too: a mirror stays in force "
            + "until a step has {\"setMirror\": {\"percentage\": 0}}"
        return [
            Violation(pointer.appending("strategy").appending("steps").appending(first), .consequence, detail)
        ]
    }

    /// Reports changes that a started release does not allow: everything but the steps behind the current one and
    /// the failure policy. To leave out what is the default anyway is no change.
    ///
    /// - Parameters:
    ///   - old: what is stored.
    ///   - pointer: of the release's `spec`.
    package func check(
        replacing old: ReleaseSpec, at status: ReleaseStatus, _ pointer: JSONPointer, log: ViolationLog
    ) {
        guard status.phase != .draft, self != old else { return }
        if status.phase.isTerminal {
            log.report(pointer, .immutable, "the release has ended; delete it or create another one")
            return
        }
        var allowed = old
        allowed.onFailed = onFailed
        (allowed.onInconclusive, allowed.onError) = (onInconclusive, onError)
        allowed.errorEscalation = errorEscalation
        allowed.notifications = notifications
        if unsplitAction == old.unsplitAction { allowed.unsplit = unsplit }
        // In Promoting the current step is one behind the last, so no step may be changed.
        let fixed = min((status.currentStep?.index ?? -1) + 1, old.strategy.steps.count)
        if status.currentStep.map({ $0.index < old.strategy.steps.count }) ?? true, status.phase.isAdvancing,
            strategy.steps.prefix(fixed) == old.strategy.steps.prefix(fixed)
        {
            allowed.strategy.steps = strategy.steps
        }
        guard allowed != self else { return }
        let (before, after) = (allowed.json.objectValue ?? [:], json.objectValue ?? [:])
        for field in Set(before.keys).union(after.keys).sorted() where before[field] != after[field] {
            let detail =
                field == "strategy"
                ? "of a started release only steps behind the current one may be changed" : "a started release keeps it"
            log.report(pointer.appending(field), .immutable, detail)
        }
    }
}
