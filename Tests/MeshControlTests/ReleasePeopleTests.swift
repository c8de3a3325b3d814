import Documents
import GrayRelease
import MeshControl
import MeshCore
import MeshIdentity
import MeshModel
import MeshStore
import Testing

@Suite("Releases know who is behind them, give way to one another, and are taken back")
struct ReleasePeopleTests {
    private static let gated: [String: JSONValue] = [
        "strategy": [
            "type": "canary",
            "steps": [
                ["setWeight": 2000], ["approval": ["name": "sre", "roles": ["sre"], "excludeCreator": true]],
                ["setWeight": 10_000],
            ],
        ], "retainStable": "0s",
    ]

    private static func person(_ name: String, _ role: Role = .developer, _ groups: Set<String> = []) -> Caller {
        Caller(
            description: "apiKey:\(name)", role: role, person: name, groups: groups, tenant: ControlFixture.acme)
    }

    private static func status(_ fixture: ControlFixture, _ name: String = "r") async throws -> ReleaseStatus {
        ReleaseStatus(try await fixture.fetch("shop/releases/\(name)").status)
    }

    @Test("author, starter and editors are recorded; a vote is a person's, not a key's")
    func people() async throws {
        try await ControlFixture.runPrepared { fixture in
            try await fixture.put("shop/releases/r", ControlFixture.release(Self.gated), by: Self.person("ann"))
            try await fixture.act(.start, by: Self.person("bob"))
            try await fixture.drive(until: { $0.phase == .waitingApproval })
            var people = try await Self.status(fixture).people
            #expect((people.author, people.starter, people.mayPromote) == ("ann", "bob", false))
            var edited = Self.gated
            edited["strategy"] = [
                "type": "canary",
                "steps": [
                    ["setWeight": 2000], ["approval": ["name": "sre", "roles": ["sre"], "excludeCreator": true]],
                    ["setWeight": 3000], ["setWeight": 10_000],
                ],
            ]
            try await fixture.put("shop/releases/r", ControlFixture.release(edited), by: Self.person("eve", .releaser))
            people = try await Self.status(fixture).people
            #expect((people.editors, people.mayPromote) == (["eve"], true))
            for caller in [
                Self.person("ann", .developer, ["sre"]), Self.person("bob", .developer, ["sre"]),
                Self.person("eve", .developer, ["sre"]), Self.person("cat"),
            ] {
                let answer = try await refusal { try await fixture.act(.approve, by: caller) }
                #expect(answer == "conflict: notApprover", "\(caller)")
            }
            #expect(
                try await refusal { try await fixture.act(.approve, by: Self.person("vic", .viewer, ["sre"])) }
                    == "forbidden: releases.approve")
            try await fixture.act(.approve, by: Self.person("cat", .developer, ["sre"]))
            try await fixture.drive(until: { $0.phase == .succeeded })
        }
    }

    @Test("who may not promote starts a release that stands still before most of the traffic")
    func promotionGate() async throws {
        try await ControlFixture.runPrepared { fixture in
            try await fixture.put(
                "shop/releases/r",
                ControlFixture.release([
                    "strategy": ["type": "canary", "steps": [["setWeight": 10_000]]], "retainStable": "0s",
                ]))
            try await fixture.act(.start, by: Self.person("dan"))
            try await fixture.drive(until: { $0.isPaused(for: .promotionGate) })
            let refused = try await refusal { try await fixture.act(.promote, by: Self.person("dan")) }
            #expect(refused == "forbidden: releases.promote")
            try await fixture.act(.promote, by: Self.person("rel", .releaser))
            try await fixture.drive(until: { $0.phase == .succeeded })
        }
    }

    @Test("to ignore freeze windows takes the right to override them, in the plan as in a verb")
    func freezeRights() async throws {
        try await ControlFixture.runPrepared { fixture in
            let plan = ControlFixture.release(["schedule": ["respectFreezeWindows": false]])
            let refused = try await refusal { try await fixture.put("shop/releases/r", plan, by: Self.person("dan")) }
            #expect(refused == "forbidden: releases.overrideFreeze")
            try await fixture.put("shop/releases/r", plan, by: Self.person("root", .meshAdmin))
            // What is there already may be written again.
            try await fixture.put("shop/releases/r", plan, metadata: ["labels": ["a": "b"]], by: Self.person("dan"))
            let verb: JSONValue = ["overrideFreeze": true, "reason": "now"]
            #expect(
                try await refusal { try await fixture.act(.start, verb, by: Self.person("dan")) }
                    == "forbidden: releases.overrideFreeze")
            #expect(
                try await refusal { try await fixture.act(.start, ["overrideFreeze": true]) }
                    == "invalid: /reason required")
            try await fixture.act(.start, verb)
        }
    }

    @Test("a release replaces the running one of its service, which is taken back before it begins")
    func replace() async throws {
        try await ControlFixture.runPrepared { fixture in
            try await fixture.put("shop/releases/r", ControlFixture.release())
            try await fixture.act(.start)
            try await fixture.drive(until: { $0.isPaused(for: .pauseStep) })
            try await fixture.put("shop/releases/s", ControlFixture.release())
            #expect(
                try await refusal { try await fixture.act(.start, on: "shop/releases/s") } == "conflict: activeRelease")
            try await fixture.put(
                "shop/releases/s", ControlFixture.release(["supersedePolicy": "replace"]))
            try await fixture.act(.start, on: "shop/releases/s")
            let (old, new) = try await (Self.status(fixture), Self.status(fixture, "s"))
            #expect(old.phase == .rollingBack && !old.traffic.exposesCanary && old.ending == .superseded)
            #expect(new.phase == .pending)
            #expect(new.blockedOn.map(\.detail) == ["r is being rolled back first"] || new.blockedOn.isEmpty)
            // A third one takes the second one's place.
            try await fixture.put(
                "shop/releases/t", ControlFixture.release(["supersedePolicy": "replace"]))
            try await fixture.act(.start, on: "shop/releases/t")
            try await fixture.drive(until: { $0.phase == .superseded })
            try await fixture.drive("s", until: { $0.phase == .superseded })
            try await fixture.drive("t", until: { $0.isPaused(for: .pauseStep) })
            #expect(try await Self.status(fixture, "t").traffic.canaryShare.basisPoints == 2000)
        }
    }

    @Test("a success is taken back by a release of its own, once, as long as it is the last and its window is open")
    func takeBack() async throws {
        try await ControlFixture.runPrepared { fixture in
            try await fixture.put(
                "shop/releases/r",
                ControlFixture.release([
                    "strategy": ["type": "canary", "steps": [["setWeight": 10_000]]], "retainStable": "0s",
                    "rollbackWindow": ["duration": "1h"],
                ]))
            try await fixture.act(.start)
            try await fixture.drive(until: { $0.phase == .succeeded })
            #expect(try await fixture.fetch("shop/releases/r").status["allowedActions"] == ["rollback"])
            let started = try await fixture.act(.rollback, ["reason": "slow"], by: Self.person("dan"))
            #expect(started.object.key.name == Name.known("r-rollback-1"))
            #expect(started.created)
            #expect(started.object.spec["stable"]?["version"] == "v2")
            #expect(try await Self.status(fixture).rolledBackBy == Name.known("r-rollback-1"))
            #expect(try await refusal { try await fixture.act(.rollback) } == "conflict: notLatest")
            try await fixture.drive("r-rollback-1", until: { $0.phase == .succeeded })
            let service = ServiceStatus(try await fixture.fetch("shop/services/reviews").status)
            #expect(service.stableVersion == Name.known("v1"))
            #expect(service.promotions.map(\.from) == [Name.known("v2")])
            // Back and forth: what took it back is the last success now.
            let again = try await fixture.act(.rollback, on: "shop/releases/r-rollback-1")
            #expect(again.object.key.name == Name.known("r-rollback-1-rollback-1"))
            try await fixture.drive("r-rollback-1-rollback-1", until: { $0.phase == .succeeded })
            // One whose time is over.
            try await fixture.execute(
                """
                UPDATE object SET status = jsonb_set(status, '{lastTransitionTime}', '"2020-01-01T00:00:00Z"')
                 WHERE name = 'r-rollback-1-rollback-1'
                """)
            #expect(
                try await refusal { try await fixture.act(.rollback, on: "shop/releases/r-rollback-1-rollback-1") }
                    == "conflict: rollbackWindow")
        }
    }

    @Test("of two successes only the last one is taken back")
    func notLatest() async throws {
        try await ControlFixture.runPrepared { fixture in
            let steps: JSONValue = ["type": "canary", "steps": [["setWeight": 10_000]]]
            try await fixture.put("shop/releases/r", ControlFixture.release(["strategy": steps, "retainStable": "0s"]))
            try await fixture.act(.start)
            try await fixture.drive(until: { $0.phase == .succeeded })
            try await fixture.put(
                "shop/releases/s",
                ControlFixture.release([
                    "strategy": steps, "retainStable": "0s", "stable": ["version": "v2"], "canary": ["version": "v1"],
                ]))
            try await fixture.act(.start, on: "shop/releases/s")
            try await fixture.drive("s", until: { $0.phase == .succeeded })
            #expect(try await refusal { try await fixture.act(.rollback) } == "conflict: notLatest")
            try await fixture.act(.rollback, on: "shop/releases/s")
        }
    }
}
