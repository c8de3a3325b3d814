internal import GrayRelease
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
        ])
}

extension Kind {
    package static let release = kinds[ReleaseSpec.self]
}
