package import Documents
package import MeshCore
package import MeshModel

extension DestinationRuleSpec {
    /// The parts of the rule that cannot be carried out with the services that there are. Writing such a rule is
    /// refused; if it became so later, the parts are left out with a ``Diagnostic``.
    ///
    /// - Parameters:
    ///   - name: the rule's.
    ///   - pointer: where the `spec` stands.
    package func violations(
        named name: NamespacedName, in names: inout some MeshNames, at pointer: JSONPointer = .spec
    ) -> [Violation] {
        let here = pointer.appending("host")
        guard let target = names.host(host, from: name.namespace) else {
            return [Violation(here, .invalidFormat, HostName.rule)]
        }
        guard target.namespace == name.namespace else {
            return [
                Violation(
                    here, .invalidValue,
                    "\(target) is a \(target.noun) of another namespace; a destination rule holds for those of its own")
            ]
        }
        guard let service = names.service(target)?.spec else {
            return [
                Violation(
                    here, .unknownReference, "there is no \(target.described)",
                    choices: names.hosts(in: target.namespace, from: name.namespace))
            ]
        }
        var violations = ports(of: trafficPolicy, service, target, at: pointer)
        for (index, subset) in subsets.enumerated() {
            let here = pointer.appending("subsets").appending(index)
            violations += meaning(of: subset, service, target, at: here)
            violations += ports(of: subset.trafficPolicy, service, target, at: here)
        }
        return violations
    }

    /// Labels decide what a subset is, as in Istio; what they do not decide is refused rather than guessed.
    private func meaning(
        of subset: Subset, _ service: ServiceSpec, _ name: Host, at pointer: JSONPointer
    ) -> [Violation] {
        guard let version = subset.version(in: service) else {
            guard !subset.labels.isEmpty else {
                return [
                    Violation(
                        pointer.appending("name"), .unknownReference,
                        "\(name.noun) \(name) has no version \(subset.name)",
                        choices: service.versions.map(\.name.text))
                ]
            }
            let selected = service.versions(selectedBy: subset.labels).map(\.text)
            return [
                Violation(
                    pointer.appending("labels"), .unknownReference,
                    selected.isEmpty
                        ? "no version of \(name.noun) \(name) has these labels"
                        : "the labels select several versions of \(name.noun) \(name): \(selected.joined(separator: ", "))",
                    choices: service.versions.map(\.name.text))
            ]
        }
        let first = subsets.first { $0.version(in: service) == version }
        guard let first, first.name != subset.name else { return [] }
        return [
            Violation(
                pointer.appending("labels"), .duplicate,
                "the labels select version \(version), as those of subset \(first.name) do")
        ]
    }

    private func ports(
        of policy: TrafficPolicy?, _ service: ServiceSpec, _ name: Host, at pointer: JSONPointer
    ) -> [Violation] {
        guard let policy else { return [] }
        let unknown = policy.portLevelSettings.map(\.number).filter { service.port($0) == nil }
        return unknown.map { port in
            Violation(
                pointer.appending("trafficPolicy").appending("portLevelSettings"), .unknownReference,
                "\(name.noun) \(name) has no port \(port)", choices: service.ports.map { String($0.number) })
        }
    }
}

extension MeshState {
    /// Which version each name means that destinations of a service may give as their subset: subsets of the DestinationRule
    /// that holds, and versions.
    package func subsets(of service: NamespacedName) -> [Name: Name] {
        guard let spec = services[service]?.spec else { return [:] }
        var meanings = Dictionary(spec.versions.map { ($0.name, $0.name) }) { first, _ in first }
        var names = StateNames(self)
        for subset in names.subsets(of: .service(service)).reversed() {
            if let version = subset.version(in: spec) { meanings[subset.name] = version }
        }
        return meanings
    }

    /// The subsets that DestinationRules of the service's namespace declare as versions of it, in the order of the
    /// rules' names.
    package func subsetDeclarations(
        of service: NamespacedName
    ) -> [(rule: NamespacedName, version: Name, pointer: JSONPointer)] {
        guard let spec = services[service]?.spec else { return [] }
        var names = StateNames(self)
        let rules = names.destinationRules(about: .service(service))
        return rules.sorted { $0.name < $1.name }.flatMap { name, policies in
            policies.spec.subsets.enumerated().compactMap { index, subset in
                subset.version(in: spec).map {
                    (name, $0, JSONPointer.spec.appending("subsets").appending(index))
                }
            }
        }
    }
}
