package import GrayRelease
package import MeshCore

extension ReleaseSpec: ResourceKind {
    package static let info = KindInfo(
        "Release", in: .namespace, roles: KindRoles(write: .developers.union([.releaser])),
        methods: [
            CustomMethod("start", .developers.union([.releaser])),
            CustomMethod("pause", .developers.union([.releaser])),
            CustomMethod("resume", .developers.union([.releaser])),
            CustomMethod("promote", .operators.union([.releaser])),
            // Skips everything that is left of a plan.
            CustomMethod("promoteFull", .operators.union([.releaser])),
            // Granted wider than promotion: whoever sees that something is wrong may stop it.
            CustomMethod("rollback", .developers.union([.releaser])),
            CustomMethod("abort", .operators.union([.releaser])),
            CustomMethod("skip", .operators.union([.releaser])),
            CustomMethod("goto", .operators.union([.releaser])),
            CustomMethod("retryAnalysis", .developers.union([.releaser])),
            // Which of them a gate asks is the plan's.
            CustomMethod("approve", .developers.union([.releaser])),
            CustomMethod("reject", .developers.union([.releaser])),
            CustomMethod("skipApproval", .operators),
            CustomMethod("overrideFreeze", .operators),
        ], isUrgent: true)

    /// The traffic that it owns; nothing before it starts and after it has ended.
    package static func input(_ spec: ReleaseSpec, of object: StoredObject, in mesh: MeshKey) -> ReleaseTraffic? {
        object.key.namespace.flatMap { ReleaseStatus(object.status).ownedTraffic(of: spec, in: $0) }
    }

    package static func mentions(_ input: ReleaseTraffic, of name: NamespacedName) -> [Mention] {
        [.service(input.service)]
    }
}

extension MeshState {
    /// Releases that own traffic.
    package var releases: Table<ReleaseTraffic> {
        get { self[ReleaseSpec.self] }
        set { self[ReleaseSpec.self] = newValue }
    }
}

extension MeshChange {
    package var releases: Set<NamespacedName> {
        get { self[.release] }
        set { self[.release] = newValue }
    }
}

extension Kind {
    package static let release = kinds[ReleaseSpec.self]
}
