import Documents
import GrayRelease
import MeshCore
import MeshModel
import ReleaseFixtures
import Testing

@Suite("A release and the service that it is about")
struct ReleaseServiceTests {
    private static func service() throws -> ServiceSpec {
        let document = try JSON.parse(
            #"""
            {"ports": [{"name": "raw", "port": 90, "protocol": "TCP"}, {"name": "http", "port": 9080}],
             "versions": [{"name": "v1"}, {"name": "v2"}]}
            """#)
        return try #require(ServiceSpec.read(document, at: .root, log: ViolationLog()))
    }

    @Test("a release names versions and ports that its service has")
    func references() throws {
        let service = try Self.service()
        var spec = Fixture.spec()
        spec.port = nil
        #expect(spec.ports(in: service) == [9080])
        func check(_ spec: ReleaseSpec) -> [String] {
            let log = ViolationLog()
            spec.check(against: service, at: .root, log: log)
            return log.violations.map(\.pointer.description)
        }
        #expect(check(spec) == [])
        spec.port = 90
        spec.canary.version = Fixture.name("v9")
        #expect(check(spec) == ["/canary/version", "/port"])
    }

    @Test("every port that a release names must be one of the service's HTTP ports")
    func scopedPorts() throws {
        let service = try Self.service()
        var spec = Fixture.spec()
        spec.port = nil
        spec.strategy.ports = [9080, 90, 7]
        let log = ViolationLog()
        spec.check(against: service, at: .root, log: log)
        #expect(
            log.violations.map(\.pointer.description) == [
                "/strategy/trafficRouting/scope/ports/1", "/strategy/trafficRouting/scope/ports/2",
            ])
        #expect(spec.ports(in: service) == [9080])
    }
}
